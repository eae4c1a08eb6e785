import { expect, test } from 'vitest';
import { printableUrl } from '../../src/text/urls.ts';

test.each([
  ['https://sqs.eu-west-1.amazonaws.com/123456789012/updates', undefined],
  ['https://user:secret@proxy.example:8443/1/q?token=secret#secret', 'https://proxy.example:8443/1/q'],
  ['http://secret@127.0.0.1:4566/', 'http://127.0.0.1:4566'],
  ['redis://:secret@cache.example:6379/0', 'redis://cache.example:6379/0'],
  ['http://host/a\u{1b}[31m\u202eb', 'http://host/a%1B[31m%E2%80%AEb'],
  ['user:secret@', 'an address that is not a URL'],
  ['not a URL with a secret', 'an address that is not a URL'],
])('%j is shown without what may be secret', (url, shown = url) => {
  expect(printableUrl(url)).toBe(shown);
});
