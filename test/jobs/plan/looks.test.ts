import { expect, test } from 'vitest';
import { Looks } from '../../../src/jobs/plan/looks.ts';
import type { Failure } from '../../../src/message/failure.ts';

const gone: Failure = { kind: 'rejected', status: 404, name: 'ResourceNotFoundException', message: 'gone' };
const denied: Failure = { kind: 'denied', status: 403, name: 'AccessDeniedException', message: 'no' };

/** Looks at a service with these configurations, and the ids that it was asked for. */
function looksAt(answers: Readonly<Record<string, Failure | 'there'>>) {
  const asked: string[] = [];
  const looks = new Looks({
    configuration: async (id) => {
      asked.push(id);
      const answer = answers[id] ?? gone;
      return answer === 'there'
        ? { ok: true, value: { TaskConfigurationId: id } }
        : { ok: false, failure: answer };
    },
  });
  return { looks, asked };
}

test('asks for each id once, and says why one is none to set', async () => {
  const { looks, asked } = looksAt({ cfgA: 'there' });
  expect(looks.asked).toBe(false);
  for (let i = 0; i < 2; i++) {
    expect(await looks.refusal('cfgA')).toBeUndefined();
    expect(await looks.refusal('cfgB')).toBe('there is no task configuration cfgB (404)');
  }
  expect(asked).toEqual(['cfgA', 'cfgB']);
  expect(looks).toMatchObject({ asked: true, unlooked: undefined });
  expect([...looks.found.keys()]).toEqual(['cfgA']);
});

test('asks no more once it may not, and refuses nothing then', async () => {
  const { looks, asked } = looksAt({ cfgA: denied });
  expect(await looks.refusal('cfgA')).toBeUndefined();
  expect(await looks.refusal('cfgB')).toBeUndefined();
  expect(asked).toEqual(['cfgA']);
  expect(looks.unlooked).toContain('GetOtaTaskConfiguration is denied');
});
