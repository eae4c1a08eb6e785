/** Columns of the files that ota-updater itself writes: such a file can be read as it is. */

/** Before the fields of an update, in a file of refused rows. */
export const refusedColumns = ['line', 'reason', 'row'] as const;

/** Of a job's report. A new one goes to the end. */
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

/** Whether there is a row with such columns: all rows of a report have these. */
export function isReport(columns: readonly string[]): boolean {
  return columns.includes('Row') && columns.includes('State');
}
