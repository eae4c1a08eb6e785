/** The actions of the job forms. */
import { z } from 'zod';
import { toConditions, type WhereField } from '../../jobs/plan/conditions.ts';
import type { TaskChange } from '../../jobs/plan/format.ts';
import { isJobName, JOB_NAME_RULE } from '../../jobs/plan/job-name.ts';
import { updateSchema } from '../../message/update.ts';
import { PageError } from '../pages/page-error.ts';
import type { Change, Site } from '../section.ts';
import { steps } from './desk.ts';
import { formLabels, givenOf, setForm, settingsForm } from './fields.ts';
import { type JobsOptions, jobOf } from './options.ts';
import { JOBS_PATH, jobPath, NEW_PATH, planPath } from './paths.ts';
import { UPLOAD_FILE } from './planner.ts';
import { keepUpload, readForm, safeName } from './upload.ts';

const { Description, TaskConfigurationId } = updateSchema.shape;
const typed = z.object({ name: z.string().default('') });
const optionalText = z
  .string()
  .trim()
  .transform((text) => (text === '' ? undefined : text))
  .optional();
const planForm = z.object({
  jobId: optionalText,
  setConfiguration: optionalText.pipe(TaskConfigurationId),
  setDescription: optionalText.pipe(Description),
  refresh: z.literal('yes').optional(),
});
const liveForm = planForm.extend({ whereStatus: optionalText, whereConfiguration: optionalText });

export function addChanges(site: Site, { door, desk, newName, mostBytes }: JobsOptions): void {
  /** No request waits long for a ledger that hangs. */
  const change: Site['change'] = (path, fields, make) =>
    site.change(path, fields, (one) => door.awaited(make(one)), { labels: formLabels });
  const deedOf = ({ visitor, reason }: Pick<Change<unknown>, 'visitor' | 'reason'>) => ({
    who: `${visitor.name}@console`,
    why: reason,
  });
  for (const step of steps)
    change(`${JOBS_PATH}/of/:job/${step}`, typed, async (change) => {
      const jobId = jobOf(change.request);
      if (step === 'cancel') requireTyped(change.fields.name, jobId, 'Nothing was changed');
      await desk.step(jobId, step, deedOf(change));
      return jobPath(jobId, `?done=${step}`);
    });
  change(`${JOBS_PATH}/of/:job/set`, setForm, async (change) => {
    const jobId = jobOf(change.request);
    const { unset, ...form } = change.fields;
    const changed = await desk.set(jobId, givenOf(form), unset, deedOf(change));
    return jobPath(jobId, changed ? '?done=set' : '?done=nothing-to-set');
  });
  change(`${JOBS_PATH}/of/:job/retry`, z.object({}), async (change) => {
    const jobId = jobOf(change.request);
    const rows = await desk.retry(jobId, deedOf(change));
    return jobPath(jobId, rows === 0 ? '?done=nothing-to-retry' : '?done=retry');
  });
  for (const look of ['verify', 'reconcile'] as const)
    change(`${JOBS_PATH}/of/:job/${look}`, z.object({}), async (change) => {
      const jobId = jobOf(change.request);
      await desk[look](jobId, deedOf(change));
      return jobPath(jobId, `?done=${look}`);
    });
  change(`${JOBS_PATH}/of/:job/undo`, z.object({}), async (change) => {
    const jobId = jobOf(change.request);
    const named = `${jobId}-undo`;
    const name = isJobName(named) && !(await desk.isTaken(named)) ? named : newName();
    return planPath(await desk.undo(jobId, name, deedOf(change)));
  });

  /** The name given, or a new one. */
  const nameOf = (given: string | undefined): string => {
    const jobId = given ?? newName();
    if (!isJobName(jobId)) throw new PageError(`"${formLabels.jobId}": ${JOB_NAME_RULE}`);
    return jobId;
  };

  // Receiving the file may take a while.
  site.change(
    NEW_PATH,
    planForm,
    async (change) => {
      const { fields, request } = change;
      const jobId = nameOf(fields.jobId);
      const name = safeName(request.upload?.filename);
      const kept = Promise.withResolvers<void>();
      const begun = desk.plan(jobId, name, deedOf(change), async (folder) => {
        await keepUpload(request, `${folder}/${UPLOAD_FILE}`, mostBytes);
        kept.resolve();
        return { from: 'file', name, ...wanted(fields) };
      });
      await door.awaited(begun, kept.promise);
      return planPath(jobId);
    },
    { before: readForm(mostBytes), labels: formLabels },
  );
  change(`${NEW_PATH}/live`, liveForm, async (change) => {
    const { fields } = change;
    const { whereStatus, whereConfiguration } = fields;
    const conditions = toConditions([
      ...(whereStatus === undefined ? [] : [['Status', whereStatus] as const]),
      ...(whereConfiguration === undefined ? [] : [['TaskConfigurationId', whereConfiguration] as const]),
    ] satisfies (readonly [WhereField, string])[]);
    const { set, refresh } = wanted(fields);
    if (Object.keys(set).length === 0) throw new PageError('Say what to set on the tasks.');
    const jobId = nameOf(fields.jobId);
    await desk.plan(jobId, 'live tasks', deedOf(change), async () => ({
      from: 'live',
      conditions,
      set,
      refresh,
    }));
    return planPath(jobId);
  });
  change(`${JOBS_PATH}/plans/:job/apply`, settingsForm.extend(typed.shape), async (change) => {
    const jobId = jobOf(change.request);
    const { name, ...form } = change.fields;
    requireTyped(name, jobId, 'Nothing was sent');
    const isIn = await desk.applying.entered(
      jobId,
      desk.applying.apply(jobId, givenOf(form), deedOf(change)),
    );
    return isIn ? jobPath(jobId, '?done=apply') : planPath(jobId);
  });
  change(`${JOBS_PATH}/plans/:job/discard`, z.object({}), async (change) => {
    const jobId = jobOf(change.request);
    await desk.discard(jobId, deedOf(change));
    return JOBS_PATH;
  });
}

function wanted({ setConfiguration, setDescription, refresh }: z.infer<typeof planForm>): {
  readonly set: TaskChange;
  readonly refresh: boolean;
} {
  return {
    set: {
      ...(setDescription !== undefined && { Description: setDescription }),
      ...(setConfiguration !== undefined && { TaskConfigurationId: setConfiguration }),
    },
    refresh: refresh !== undefined,
  };
}

function requireTyped(typedName: string, jobId: string, otherwise: string): void {
  if (typedName.trim() === jobId) return;
  throw new PageError(`${otherwise}: type the job's name, ${jobId}, to confirm.`);
}
