/** What `main.ts` wants of the process that it starts in namespaces. */
export interface Order {
  /** Where all of it goes, and the report as `report.json`. */
  readonly directory: string;
  readonly isQuick: boolean;
  /** Instead of the usual number. */
  readonly rounds?: number;
  /** Why there are none. */
  readonly noNamespaces?: string;
}
