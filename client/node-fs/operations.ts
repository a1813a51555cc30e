/** All operations by path, in one table. */
import { attributeOperations } from './attribute-operations.ts';
import { contentOperations } from './content-operations.ts';
import { directoryOperations } from './directory-operations.ts';
import { nameOperations } from './name-operations.ts';
import type { Operation, Operations } from './operation.ts';

const table = {
  ...attributeOperations,
  ...nameOperations,
  ...directoryOperations,
  ...contentOperations,
} satisfies Operations;

export const operations: Readonly<Record<keyof typeof table, Operation>> = table;
