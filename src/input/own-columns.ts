/** Columns of files that ota-updater itself writes, so that such a file can be used as input unchanged. */

/** In a file of refused rows, before the fields of an update. */
export const refusedColumns = ['line', 'reason', 'row'] as const;

/** In a job's report. A new column goes to the end. */
export const reportColumns = [
  'Row',
  'Identifier',
  'Description',
  'TaskConfigurationId',
  'FormerDescription',
  'FormerTaskConfigurationId',
  'State',
  'Reason',
  'ErrorName',
  'ErrorStatus',
  'ErrorMessage',
  'AwsRequestId',
  'Attempts',
  'At',
  'Reconciled',
  'Try',
  'Sends',
  'RequestId',
] as const;

/** Whether a file has the columns of a report. */
export function isReport(columns: readonly string[]): boolean {
  return columns.includes('Row') && columns.includes('State');
}
