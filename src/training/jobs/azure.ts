/**
 * Jobs of Azure OpenAI, below `https://<resource>.openai.azure.com/openai/v1`. They are OpenAI's, with two differences: a file takes no job before the
 * service has read it, and a model answers once it is deployed (see the server `deployed`).
 * Sources: https://learn.microsoft.com/en-us/azure/ai-foundry/openai/how-to/fine-tuning (REST), …/openai/reference (Files, Fine-tuning);
 * Azure/azure-rest-api-specs: specification/cognitiveservices/data-plane/AzureOpenAI/authoring/preview/2025-03-01-preview/azureopenai.yaml.
 */
import type { JobDialect } from './dialect.ts';
import { type ListedApi, ListedJobs } from './listed-jobs.ts';
import { openai, openaiApi } from './openai.ts';

const api: ListedApi = { ...openaiApi, files: { ...openaiApi.files, ready: 'processed' } };

export const azure: JobDialect = {
  ...openai,
  servedBy: ['deployed'],
  service: (endpoint) => new ListedJobs(endpoint, api),
};
