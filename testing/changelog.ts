/** CHANGELOG.md at a release. PURE. */

const UNRELEASED = '## Unreleased\n';

/**
 * Moves what is unreleased to a section with that version and date, below a new empty one.
 * @param date in the form `2026-11-28`.
 * @throws Error if there is nothing to release.
 */
export function releaseChangelog(text: string, version: string, date: string): string {
  const start = text.indexOf(UNRELEASED);
  if (start === -1) throw new Error('CHANGELOG.md has no section "## Unreleased"');
  const rest = text.slice(start + UNRELEASED.length);
  const [changes = ''] = rest.split(/^## /m);
  if (changes.trim() === '') throw new Error('CHANGELOG.md: nothing is unreleased');
  return `${text.slice(0, start)}${UNRELEASED}\n## ${version} - ${date}\n${rest}`;
}
