/**
 * What of the plain templates needs no packages of its own: their roles may do what deploy/iam says. The rest of deploy/ is checked by
 * `npm run test:deploy`, which CI runs.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { list, statements } from '../../testing/iam/policies.ts';

process.stdout.write('Not run here: most checks of deploy/, by larger packages: npm run test:deploy\n');

interface Template {
  readonly Resources: Readonly<
    Record<
      string,
      {
        readonly Type: string;
        readonly Properties: {
          readonly PolicyDocument?: {
            readonly Statement: readonly { readonly Sid?: string; readonly Action: string | string[] }[];
          };
        };
      }
    >
  >;
}

/** Statements about what no template has. */
const chosen = ['FileReports', 'NotifyTopic', 'NotifyBus'];

test.each([
  ['ota-updater.json', ['worker', 'enqueuer', 'operator'], [...chosen, 'EncryptedQueues']],
  ['ota-updater-ledger.json', ['worker', 'enqueuer', 'operator'], [...chosen, 'EncryptedQueues']],
  ['ota-updater-console.json', ['worker', 'enqueuer', 'operator', 'console'], chosen],
])(
  '%s: roles may do what deploy/iam says (else: npm run synth --prefix deploy/cdk)',
  (file, roles, leftOut) => {
    const path = join(import.meta.dirname, '../../deploy/cloudformation', file);
    const { Resources } = JSON.parse(readFileSync(path, 'utf8')) as Template;
    const made = Object.values(Resources)
      .filter(({ Type }) => Type === 'AWS::IAM::Policy')
      .map(
        ({ Properties }) => Properties.PolicyDocument?.Statement.filter(({ Sid }) => Sid !== undefined) ?? [],
      )
      .filter((all) => all.length > 0)
      .map((all) => all.map(({ Sid, Action }) => `${Sid}: ${list(Action).join()}`));
    const said = roles.map((role) =>
      statements(`${role}.json`)
        .filter(({ Sid }) => !leftOut.includes(Sid))
        .map(({ Sid, Action }) => `${Sid}: ${list(Action).join()}`),
    );
    expect(made.toSorted()).toEqual(said.toSorted());
  },
);
