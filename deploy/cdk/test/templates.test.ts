/** The plain templates: those that stand in deploy/cloudformation are what the construct makes. */
import { readFileSync } from 'node:fs';
import { Template } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { templates, templateText } from '../src/stacks.ts';

const made = templates();
const folder = new URL('../../cloudformation/', import.meta.url);

describe.each(Object.keys(made))('%s', (file) => {
  const template = Template.fromJSON(made[file] as Record<string, unknown>);

  test('is what `npm run synth --prefix deploy/cdk` writes', () => {
    expect(readFileSync(new URL(file, folder), 'utf8')).toBe(templateText(made[file]));
  });

  test('needs parameters only: no assets, no bootstrapped account', () => {
    const text = JSON.stringify(made[file]);
    expect(text).not.toMatch(/cdk-hnb659fds|aws:cdk:path|AssetParameters|CDKMetadata/);
    expect(text).not.toMatch(/\b\d{12}\b/);
  });

  test('has no password in it', () => {
    const secrets = Object.values(template.findResources('AWS::SecretsManager::Secret'));
    for (const { Properties } of secrets) expect(JSON.stringify(Properties)).not.toMatch(/"SecretString":"/);
  });
});
