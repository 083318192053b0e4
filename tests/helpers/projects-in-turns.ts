import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Begins and ends the files of all projects side by side, each project's in its usual order, instead of one project after the other. */
export class ProjectsInTurns extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const projects = Map.groupBy(sorted, ({ project }) => project.name);
    return [...projects.values()]
      .flatMap((own) => own.map((file, index) => ({ file, share: (index + 1) / own.length })))
      .sort((a, b) => a.share - b.share)
      .map(({ file }) => file);
  }
}
