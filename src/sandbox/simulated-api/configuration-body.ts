/** Reads the body of CreateOtaTaskConfiguration by the rules of AWS's model. PURE. */
import { z } from 'zod';

const whole = (min: number, max: number) => z.number().int().min(min).max(max).optional();

const PushConfig = z.object({
  AbortConfig: z
    .object({
      AbortConfigCriteriaList: z
        .array(
          z.object({
            Action: z.enum(['CANCEL']).optional(),
            FailureType: z.enum(['FAILED', 'REJECTED', 'TIMED_OUT', 'ALL']).optional(),
            MinNumberOfExecutedThings: whole(1, 100),
            ThresholdPercentage: z.number().max(100).optional(),
          }),
        )
        .optional(),
    })
    .optional(),
  RolloutConfig: z
    .object({
      ExponentialRolloutRate: z
        .object({
          BaseRatePerMinute: whole(1, 100),
          IncrementFactor: z.number().min(1.1).max(5).optional(),
          RateIncreaseCriteria: z
            .object({ numberOfNotifiedThings: whole(1, 100), numberOfSucceededThings: whole(1, 100) })
            .optional(),
        })
        .optional(),
      MaximumPerMinute: whole(1, 2_147_483_647),
    })
    .optional(),
  TimeoutConfig: z.object({ InProgressTimeoutInMinutes: whole(1, 10_080) }).optional(),
});

const Input = z.object({
  Name: z
    .string()
    .min(1)
    .max(128)
    .regex(/^[A-Za-z0-9-_ ]+$/)
    .optional(),
  Description: z
    .string()
    .min(1)
    .max(256)
    .regex(/^[0-9A-Za-z_\- ]+$/)
    .optional(),
  PushConfig: PushConfig.optional(),
  ClientToken: z
    .string()
    .min(1)
    .max(64)
    .regex(/^[a-zA-Z0-9=_-]+$/)
    .optional(),
});

export type ConfigurationInput = Readonly<z.output<typeof Input>>;

/** The input, or its faults, one sentence each; `malformed`: it is not a JSON object. */
export type ReadConfiguration =
  | { readonly input: ConfigurationInput }
  | { readonly violations: readonly string[] }
  | 'malformed';

/** Unknown fields are dropped, as the service does. */
export function readConfiguration(text: string | undefined): ReadConfiguration {
  let body: unknown;
  try {
    body = JSON.parse(text ?? '');
  } catch {
    return 'malformed';
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return 'malformed';
  const { success, data, error } = Input.safeParse(body);
  if (success) return { input: data };
  return {
    violations: error.issues.map(
      ({ path, message }) =>
        `Value at '${path.map(String).join('.')}' failed to satisfy constraint: ${message}`,
    ),
  };
}
