import { expect, test } from 'vitest';
import { parseBody } from '../../../src/message/parse.ts';
import { contractCorpus, corpusTime } from '../../../testing/contract/corpus.ts';
import { faultOf } from '../src/index.ts';

test('says of 10,000 bodies near the boundary what the worker says', () => {
  const disagreed = contractCorpus().filter(
    (body) => parseBody(body, corpusTime).ok !== (faultOf(JSON.parse(body), corpusTime) === undefined),
  );
  expect(disagreed).toEqual([]);
});
