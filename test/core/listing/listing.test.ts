import { expect, test } from 'vitest';
import { listedIn } from '../../../src/core/listing/listing.ts';
import { anIssue } from '../../support/builders.ts';

test.for([
  { ref: 'acme/app#5', isListed: true },
  { ref: 'Acme/App#5', isListed: true },
  { ref: 'acme/app#6', isListed: false },
  { ref: 'team:acme/app#5', isListed: false },
])('$ref is shown as open: $isListed', ({ ref, isListed }) => {
  const issues = [anIssue({ repository: 'acme/app', number: 5 })];
  expect(listedIn({ issues })(ref)).toBe(isListed);
});

test('the issues of a listing are made only when one is looked for', () => {
  let made = 0;
  const listing = {
    get issues() {
      made += 1;
      return [anIssue({ repository: 'acme/app', number: 5 })];
    },
  };
  const isListed = listedIn(listing);
  expect(made).toBe(0);
  expect(isListed('acme/app#5') && isListed('acme/app#5')).toBe(true);
  expect(made).toBe(1);
});
