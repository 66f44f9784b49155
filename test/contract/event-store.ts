import { describe } from 'node:test';
import { appendClauses } from './event-store-appends.ts';
import { closeClauses } from './event-store-close.ts';
import type { MakeStore } from './event-store-kit.ts';
import { readClauses } from './event-store-reads.ts';
import { refusalClauses } from './event-store-refusals.ts';
import { subscriptionClauses } from './event-store-subscriptions.ts';

/**
 * What every `EventStore` keeps, whatever holds the log. There is no switch per adapter: a clause that one of them cannot keep
 * is not in here.
 *
 * @param make a store for one test; see `MakeStore`
 * @param options `skip` of `test/support/component.ts`, where the store needs a program that may be missing
 */
export const eventStoreContract = (name: string, make: MakeStore, options: { readonly skip?: string } = {}): void => {
  describe(`event store contract: ${name}`, { timeout: 120_000, ...options }, () => {
    describe('append', () => appendClauses(make));
    describe('refuses', () => refusalClauses(make));
    describe('read', () => readClauses(make));
    describe('subscribe', () => subscriptionClauses(make));
    describe('close', () => closeClauses(make));
  });
};
