/** Every policy in deploy/iam: placeholders that its page explains, no wildcards, no service without a source. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { list, policies, statements } from '../../testing/iam/policies.ts';
import { unconfined } from '../../testing/iam/recording.ts';

describe('every policy', () => {
  const paths = globSync('**/*.json', { cwd: policies });
  const names =
    /REGION|PRODUCER_ACCOUNT_ID|ACCOUNT_ID|UPDATE_QUEUE|DEAD_LETTER_QUEUE|OUTCOME_QUEUE|KEY_ID|PRODUCER_ROLE|REPORT_BUCKET|NOTIFY_TOPIC|NOTIFY_BUS|TOPIC|RULE/g;

  test.each(paths)('%s holds placeholders that the page explains, and nothing of an account', (path) => {
    const policy = readFileSync(join(policies, path), 'utf8');
    const page = readFileSync(join(policies, 'README.md'), 'utf8');
    for (const name of policy.match(names) ?? []) expect(page).toContain(`| \`${name}\` |`);
    expect(policy).not.toMatch(/\d{12}/);
    expect(policy.replaceAll(names, '').replace('2012-10-17', '')).not.toMatch(/"[^"]*[A-Z]{3,}_/);
  });

  test.each(paths)('%s names actions and resources one by one', (path) => {
    for (const { Effect, Action, Resource } of statements(path)) {
      if (Effect === 'Deny') continue;
      expect(list(Action).join()).not.toContain('*');
      const wide =
        path.startsWith('key-policy') ||
        list(Action).every((action) => unconfined.has(action.replace('iotmanagedintegrations:', '')));
      if (!wide) expect(list(Resource)).not.toContain('*');
    }
  });

  test.each(paths)('%s lets a service in for one source only, and nobody without a name', (path) => {
    for (const { Effect, Principal, Condition, Sid } of statements(path)) {
      if (Effect === 'Deny' || Principal === undefined) continue;
      expect(Principal, Sid).not.toBe('*');
      if (!JSON.stringify(Principal).includes('Service')) continue;
      expect(Condition?.ArnEquals?.['aws:SourceArn'], Sid).toMatch(
        /^arn:aws:(sns|events):REGION:ACCOUNT_ID:/,
      );
      expect(Condition?.StringEquals?.['aws:SourceAccount'], Sid).toBe('ACCOUNT_ID');
    }
  });
});

test('the page names statements that exist, where it says which to remove', () => {
  const page = readFileSync(join(policies, 'README.md'), 'utf8');
  const [, part = ''] = /^Remove what you do not need([\s\S]*?)^AWS defines no resources/m.exec(page) ?? [];
  const named = [
    ...part.matchAll(/^- (?:Remove the statement )?`(\w+)`(?: and `(\w+)`)?|`(\w+)` and `(\w+)`/gm),
  ].flatMap(([, ...names]) => names.filter((name) => name !== undefined));
  const known = globSync('*.json', { cwd: policies }).flatMap((path) =>
    statements(path).map(({ Sid }) => Sid),
  );
  expect(named).toContain('TakeOutcomes');
  expect(named.filter((name) => !known.includes(name))).toEqual([]);
});
