/** The report's whole style sheet: system fonts, light and dark as the reader's system says, nothing loaded. */
export const styles = `
:root {
  color-scheme: light dark;
  --paper: #fbfaf8; --card: #ffffff; --ink: #1d1f23; --soft: #5c6370; --line: #dcdad4; --accent: #2b5fb4;
  --good: #1a7f4b; --bad: #b3372f; --unsure: #8a6d1a; --good-paper: #e9f5ee; --bad-paper: #fbeceb; --unsure-paper: #f7f1dd;
  --s0: #b3372f; --s1: #d0783c; --s2: #b99a2c; --s3: #6d9a3f; --s4: #1a7f4b; --policy: #4668a8; --alternative: #c98a2b;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #16181c; --card: #1e2126; --ink: #d9dbdf; --soft: #949aa5; --line: #343941; --accent: #84aef0;
    --good: #5fc48e; --bad: #e98a82; --unsure: #d6b75a; --good-paper: #1b2d24; --bad-paper: #342220; --unsure-paper: #302a18;
    --s0: #e0726a; --s1: #de9560; --s2: #d0b551; --s3: #93bf66; --s4: #5fc48e; --policy: #7d9fdc; --alternative: #dfa850;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 28px 24px 80px; }
h1 { font-size: 24px; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 18px; margin: 36px 0 12px; }
h3 { font-size: 14px; margin: 18px 0 6px; }
p { margin: 6px 0; }
a { color: var(--accent); }
.soft, figcaption { color: var(--soft); font-size: 13px; }
.notice { border-left: 4px solid var(--unsure); background: var(--unsure-paper); padding: 8px 12px; margin: 14px 0; }
.facts { display: flex; flex-wrap: wrap; gap: 2px 24px; margin: 10px 0 0; color: var(--soft); font-size: 13px; }
.facts b { color: var(--ink); font-weight: 500; overflow-wrap: anywhere; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(168px, 1fr)); gap: 10px; margin: 14px 0; padding: 0; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 10px 12px; }
.card dt { color: var(--soft); font-size: 13px; }
.card dd { margin: 0; font-size: 21px; font-variant-numeric: tabular-nums; }
.card dd.words { font-size: 15px; line-height: 1.9; }
.card .soft { display: block; font-size: 12px; }
.pictures { display: grid; grid-template-columns: repeat(auto-fit, minmax(420px, 1fr)); gap: 10px; }
.pictures.narrow { max-width: 640px; }
figure { margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 12px; overflow-x: auto; }
svg { display: block; max-width: 100%; height: auto; font: 11px system-ui, sans-serif; }
figure svg { width: 100%; }
.tree { overflow-x: auto; }
.tree svg { max-width: none; }
svg text { fill: var(--soft); }
h3 .soft, h4 .soft, h3 .tag, h1 .tag { font-weight: 400; }
.table { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 5px 10px; border-bottom: 1px solid var(--line); vertical-align: top; }
th { color: var(--soft); font-weight: 500; font-size: 13px; }
td.number, th.number { text-align: right; white-space: nowrap; }
.tag { display: inline-block; border-radius: 4px; padding: 0 6px; font-size: 12px; line-height: 18px; white-space: nowrap; border: 1px solid var(--line); color: var(--soft); }
.tag.good { color: var(--good); border-color: currentColor; }
.tag.bad { color: var(--bad); border-color: currentColor; }
.tag.unsure { color: var(--unsure); border-color: currentColor; }
details.task { background: var(--card); border: 1px solid var(--line); border-radius: 8px; margin: 8px 0; content-visibility: auto; contain-intrinsic-size: auto 44px; }
summary { cursor: pointer; }
details.task > summary { padding: 10px 14px; display: flex; flex-wrap: wrap; gap: 4px 10px; align-items: baseline; }
details.task > summary::before { content: "▸"; color: var(--soft); }
details.task[open] > summary::before { content: "▾"; }
details.task > summary .title { flex: 1 1 300px; overflow-wrap: anywhere; }
.body { padding: 0 14px 14px; }
.step { border-top: 1px solid var(--line); padding: 8px 0; display: grid; grid-template-columns: 64px 1fr; gap: 10px; }
.step > .when { color: var(--soft); font-size: 13px; }
.step > .when b { display: block; color: var(--ink); font-size: 15px; }
.critical > .when b { color: var(--bad); }
pre { font: 13px/1.45 ui-monospace, "Cascadia Mono", Menlo, Consolas, monospace; white-space: pre-wrap; overflow-wrap: anywhere; margin: 3px 0; unicode-bidi: plaintext; }
pre.thought { color: var(--soft); font-style: italic; }
pre.observation { border-left: 2px solid var(--line); padding-left: 10px; color: var(--soft); max-height: 320px; overflow: auto; }
.alternatives > summary { color: var(--accent); font-size: 13px; margin-top: 4px; }
.alternative { border-left: 3px solid var(--alternative); padding: 4px 0 4px 10px; margin: 6px 0; }
.branches { margin: 2px 0; padding-left: 18px; font-size: 13px; color: var(--soft); }
.pair { border: 1px solid var(--line); border-radius: 8px; margin: 10px 0; padding: 10px 12px; }
.sides { display: grid; grid-template-columns: 1fr 1fr; gap: 10px; margin-top: 8px; }
.side { border-radius: 6px; padding: 8px 10px; min-width: 0; }
.side.chosen { background: var(--good-paper); }
.side.rejected { background: var(--bad-paper); }
.side h4 { margin: 0 0 4px; font-size: 13px; }
.chosen h4 { color: var(--good); }
.rejected h4 { color: var(--bad); }
@media (max-width: 720px) { .sides { grid-template-columns: 1fr; } .pictures { grid-template-columns: 1fr; } main { padding: 16px 12px 60px; } }
.s0 { fill: var(--s0); } .s1 { fill: var(--s1); } .s2 { fill: var(--s2); } .s3 { fill: var(--s3); } .s4 { fill: var(--s4); }
.unscored { fill: var(--card); stroke: var(--soft); stroke-width: 1.5; stroke-dasharray: 2 2; }
.trunk { stroke: var(--soft); stroke-width: 2; fill: none; }
.curve { stroke: var(--policy); stroke-width: 1.8; fill: none; }
.limb { stroke: var(--alternative); stroke-width: 1.5; fill: none; }
.whisker { stroke: var(--ink); stroke-width: 1.5; fill: none; }
.axis { stroke: var(--line); }
.threshold { stroke: var(--soft); stroke-dasharray: 3 3; }
.bar-policy { fill: var(--policy); } .bar-alternative { fill: var(--alternative); }
.fill-good { fill: var(--good); } .fill-bad { fill: var(--bad); } .fill-unsure { fill: var(--unsure); }
svg text.end-good { fill: var(--good); font-weight: 700; } svg text.end-bad { fill: var(--bad); font-weight: 700; } svg text.end-unsure { fill: var(--unsure); font-weight: 700; }
.swatch { display: inline-block; width: 10px; height: 10px; border-radius: 2px; margin: 0 4px 0 10px; }
.swatch.policy { background: var(--policy); } .swatch.alternative { background: var(--alternative); }
.swatch.good { background: var(--good); } .swatch.bad { background: var(--bad); } .swatch.unsure { background: var(--unsure); }
@media print { details.task { content-visibility: visible; } }
`;
