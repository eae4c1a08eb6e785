import { posix } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { filingFolder, readReportPlace } from '../../../src/jobs/file-report/place.ts';

const read = (text: string) => readReportPlace('--to', text);

describe('readReportPlace', () => {
  test.each([
    ['s3://reports', { kind: 's3', bucket: 'reports', prefix: '' }],
    ['s3://reports/', { kind: 's3', bucket: 'reports', prefix: '' }],
    ['s3://reports/fleet/eu', { kind: 's3', bucket: 'reports', prefix: 'fleet/eu' }],
    ['s3://reports//fleet/', { kind: 's3', bucket: 'reports', prefix: 'fleet' }],
    ['reports', { kind: 'folder', path: 'reports' }],
    ['/var/reports/', { kind: 'folder', path: '/var/reports/' }],
    ['C:\\reports', { kind: 'folder', path: 'C:\\reports' }],
    ['s3:/reports', { kind: 'folder', path: 's3:/reports' }],
  ])('%s', (text, place) => {
    expect(read(text)).toEqual(place);
  });

  test.each([
    ['s3://', '"" is not a valid bucket name'],
    ['s3://Reports/x', '"Reports" is not a valid bucket name'],
    ['s3://a/x', '"a" is not a valid bucket name'],
    ['s3://reports/a b', 'without spaces'],
    ['s3://reports/a\u001b[31m', 'without spaces'],
    [`s3://reports/${'a'.repeat(801)}`, 'at most 800'],
    ['gs://reports/x', 's3://BUCKET/PREFIX'],
    ['https://reports.s3.amazonaws.com/', 's3://BUCKET/PREFIX'],
  ])('refuses %j', (text, why) => {
    expect(() => read(text)).toThrow(why);
    expect(() => read(text)).toThrow(expect.objectContaining({ exitCode: 2 }));
  });
});

test('a filing stays in its place, whatever the job is called', () => {
  const jobId = fc.string({
    unit: fc.constantFrom('.', ':', '-', '_', 'a', 'Z', '0'),
    minLength: 1,
    maxLength: 128,
  });
  fc.assert(
    fc.property(jobId, fc.date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) }), (job, at) => {
      const folder = filingFolder(job, at.getTime());
      const path = posix.join('/reports', folder);
      expect(posix.dirname(posix.dirname(path))).toBe('/reports');
      expect(folder).not.toContain(':');
    }),
  );
  expect(filingFolder('2026-11-fleet', Date.parse('2026-11-29T07:00:00.123Z'))).toBe(
    '2026-11-fleet/20261129T070000.123Z',
  );
});
