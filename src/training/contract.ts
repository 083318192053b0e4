export * from '../domain/improve/contract.ts';
