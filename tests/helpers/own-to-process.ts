export { ownToProcess as default } from './hashing-environment.ts';
