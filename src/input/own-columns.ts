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

/** The column of a report that says how a row ended. */
export const STATE_COLUMN: (typeof reportColumns)[number] = 'State';
