/** The Terraform module makes what the CDK template makes: resource by resource, action by action, value by value. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { folder, moduleOf, parseModule } from './module.ts';
import { rooms } from './rooms.ts';

const module = moduleOf(await parseModule());

for (const room of rooms) room(module, test);

test('terraform itself takes it, where it and its providers are at hand', () => {
  const terraform = (...args: readonly string[]) =>
    spawnSync('terraform', args, { cwd: fileURLToPath(folder), encoding: 'utf8' });
  const skip = (why: string): void => void process.stdout.write(`SKIPPED: terraform validate: ${why}\n`);
  if (terraform('version').status !== 0) return skip('there is no terraform on this machine');
  expect(terraform('fmt', '-check', '-diff').stdout).toBe('');
  if (terraform('init', '-backend=false', '-input=false').status !== 0)
    return skip('its providers cannot be had here; the format was checked');
  const { status, stdout, stderr } = terraform('validate');
  expect(status, stdout + stderr).toBe(0);
});
