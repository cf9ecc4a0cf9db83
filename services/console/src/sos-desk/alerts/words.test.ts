import type { AlertSummary } from '@hushryd/contracts/http/sos';
import tap from 'tap';
import { describeEntry, describeEscalation, describeHolder, describeMessage, describeRecipient } from './words.ts';

const nowMs = Date.parse('2026-03-01T08:15:30.000Z');
const alert = { state: 'open', escalationLevel: 0, escalatesAt: '2026-03-01T08:15:59.500Z' } as AlertSummary;

tap.test('the countdown runs to the next level, and stops with an acknowledgement', async (t) => {
  t.equal(describeEscalation(alert, nowMs), 'Escalates to level 1 in 0:30');
  t.equal(describeEscalation({ ...alert, escalationLevel: 2 }, nowMs + 29_400), 'Escalates to level 3 in 0:01');
  t.equal(describeEscalation(alert, nowMs + 30_000), 'Escalating to level 1');
  t.equal(describeEscalation({ ...alert, state: 'acknowledged', escalatesAt: null }, nowMs), 'Escalation stopped');
  const { escalatesAt: _, ...told } = alert;
  t.equal(describeEscalation(told, nowMs), 'Escalation not known yet');
});

tap.test('who has an alert is said with its age', async (t) => {
  const name = (userId: string | undefined) => (userId === 'asha' ? 'Asha' : String(userId));
  const claimed = { ...alert, claimedBy: 'asha', claimedAt: '2026-03-01T08:15:26.000Z' };
  t.equal(describeHolder(claimed, { name, nowMs }), 'Claimed by Asha 4 s ago');
  const acknowledged = { ...claimed, acknowledgedBy: 'bo', acknowledgedAt: '2026-03-01T08:15:29.000Z' };
  t.equal(describeHolder(acknowledged, { name, nowMs }), 'Acknowledged by bo 1 s ago');
  t.equal(describeHolder(alert, { name, nowMs }), undefined);
});

tap.test('a company that took a message has reached nobody yet; the desk is told at once', async (t) => {
  t.equal(describeEntry({ state: 'ACCEPTED', channel: 'sms' }), 'Sent, not confirmed');
  t.equal(describeEntry({ state: 'ACCEPTED', channel: 'desk' }), 'Told');
  t.equal(describeEntry({ state: 'FAILED', channel: 'incident' }), 'Failed');
});

tap.test('of an incident it is said what it has come to, and of a message what it says', async (t) => {
  t.equal(describeEntry({ state: 'ACCEPTED', channel: 'incident' }), 'Opened');
  t.equal(describeEntry({ state: 'ACCEPTED', channel: 'incident', purpose: 'acknowledge' }), 'Acknowledged');
  t.equal(describeEntry({ state: 'ACCEPTED', channel: 'incident', purpose: 'resolve' }), 'Resolved');
  t.equal(describeEntry({ state: 'DELIVERED', channel: 'sms', purpose: 'resolve' }), 'Delivered');
  t.equal(describeMessage({ channel: 'incident', purpose: 'resolve' }), 'Incident');
  t.equal(describeMessage({ channel: 'sms' }), 'SMS');
  t.equal(describeMessage({ channel: 'sms', purpose: 'resolve' }), 'SMS: it is over');
});

tap.test('contacts are called by their names, everybody else by what they are', async (t) => {
  const contactName = (contactId: string) => (contactId === 'c1' ? 'Mira (sister)' : contactId);
  t.equal(describeRecipient({ recipient: 'contact', recipientId: 'c1' }, contactName), 'Mira (sister)');
  t.equal(describeRecipient({ recipient: 'on_call' }, contactName), 'On call');
});
