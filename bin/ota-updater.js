#!/usr/bin/env -S node --
// Without `--`, Node would take `--env-file` for its own.
// Starts ota-updater: the bundle in a package, the source on its own Node in a checkout. Any Node from 20 runs this file.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

/** The first version that runs the bundle as it should: agents of `node:http` know proxies since then. */
const LEAST_NODE = '24.5';
const bundle = new URL('../dist/main.mjs', import.meta.url);
const source = new URL('../src/main.ts', import.meta.url);
const ownNode = new URL('../node_modules/.bin/node', import.meta.url);

if (existsSync(source)) {
  if (existsSync(ownNode))
    run(fileURLToPath(ownNode), ['--', fileURLToPath(source), ...process.argv.slice(2)]);
  else fail('run `npm ci` first: it installs the Node that this checkout runs on.');
} else if (!isAtLeast(process.versions.node, LEAST_NODE)) {
  fail(`needs Node ${LEAST_NODE} or later; this is ${process.versions.node}.`);
} else if (!existsSync(bundle)) {
  fail(
    'this package was made without its program: `npm pack` builds it, and must not be told --ignore-scripts.',
  );
} else {
  await import(bundle.href);
}

/**
 * Runs a child in place of this process: it has the same streams, gets the same signals, and gives its exit code.
 * @param {string} command
 * @param {string[]} args
 */
function run(command, args) {
  const child = spawn(command, args, { stdio: 'inherit' });
  const atTerminal = [process.stdin, process.stdout, process.stderr].some((stream) => stream.isTTY);
  /** @type {NodeJS.Signals[]} */
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const signal of signals) {
    process.on(signal, () => {
      // A terminal sends Ctrl-C to the child too, and a second SIGINT would force the child to end.
      if (signal !== 'SIGINT' || !atTerminal) child.kill(signal);
    });
  }
  child.on('error', (error) => fail(`${command} does not start: ${error.message}`));
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 1;
    if (signal === null) return;
    // As process 1 of a container it is not ended by a signal of its own.
    process.exitCode = 128 + constants.signals[signal];
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

/**
 * Whether a version is that one or a later one.
 * @param {string} version
 * @param {string} least
 */
function isAtLeast(version, least) {
  return version.localeCompare(least, 'en', { numeric: true }) >= 0;
}

/** @param {string} why */
function fail(why) {
  process.stderr.write(`ota-updater: ${why}\n`);
  process.exitCode = 1;
}
