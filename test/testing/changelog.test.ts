import { expect, test } from 'vitest';
import { releaseChangelog } from '../../testing/changelog.ts';

const before =
  '# Changelog\n\n## Unreleased\n\n### Added\n\n- A thing.\n\n## 0.1.0 - 2026-11-01\n\n- The first.\n';

test('a release dates what is unreleased, below a new empty section', () => {
  expect(releaseChangelog(before, '0.2.0', '2026-11-28')).toBe(
    '# Changelog\n\n## Unreleased\n\n## 0.2.0 - 2026-11-28\n\n### Added\n\n- A thing.\n\n## 0.1.0 - 2026-11-01\n\n- The first.\n',
  );
});

test('a release without changes is refused', () => {
  const released = releaseChangelog(before, '0.2.0', '2026-11-28');
  expect(() => releaseChangelog(released, '0.3.0', '2026-11-29')).toThrow('nothing is unreleased');
  expect(() => releaseChangelog('# Changelog\n', '0.3.0', '2026-11-29')).toThrow('no section');
});
