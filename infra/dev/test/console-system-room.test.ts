import { closeCodes } from '@hushryd/contracts/realtime/close-codes';
import { waitFor } from '@hushryd/platform/testing/wait-for';
import { createRiderClient } from '@hushryd/sdk/rider-client';
import type { Locator, Page } from 'playwright-core';
import t, { type Test } from 'tap';
import { startConsoleSystem } from './console-system.ts';

// What an operator sees of all nodes in the System room, and does to one person's connections; by role and label, in a real browser.

const patient = { timeout: 60_000 };
const within = { withinMs: 60_000 };
const running = await startConsoleSystem(t, { realtimes: 2, hasFleet: false });

if ('reason' in running) {
  t.test('the System room in a browser', { skip: running.reason }, async () => undefined);
} else {
  const { system, newLink, openPage, connectionOptions } = running;
  const page = await openPage(newLink());
  const rooms = page.getByRole('navigation', { name: 'Rooms' });
  const nodes = page.getByRole('table', { name: 'Realtime nodes' });
  const nodeRows = nodes.locator('tbody').getByRole('row');
  const person = page.getByRole('complementary', { name: 'Connections of a person' });
  const field = person.getByRole('searchbox', { name: 'User id' });
  const connectionsOf = (userId: string) =>
    person.getByRole('list', { name: `Open connections of ${userId}` }).getByRole('listitem');

  async function connect(t: Test, userId: string, node: number) {
    const client = createRiderClient({ ...connectionOptions(userId, 'rider', node), fallback: false });
    t.teardown(() => client.close());
    const notices: string[] = [];
    client.watchUser(userId, { onEvent: (event) => event.name === 'notice' && notices.push(event.title) });
    await client.connect();
    return { client, notices };
  }

  t.test('both nodes are there, and their figures make the sum', async (t) => {
    await rooms.getByRole('link', { name: 'System' }).click();
    await nodes.waitFor(patient);
    await waitFor(async () => (await nodeRows.count()) === 2, { ...within, what: 'a row for each node' });
    await connect(t, 'ruth', 1);
    await connect(t, 'rita', 0);
    // With this console; the nodes say so every three seconds.
    await sumBecomes(page, 3);
    const figuresOf = async (row: Locator) => (await row.getByRole('cell').allInnerTexts()).slice(1, 5).map(Number);
    const allNodes = nodes.getByRole('row', { name: /^All nodes/ });
    const [one = [], other = []] = await Promise.all((await nodeRows.all()).map(figuresOf));
    t.strictSame(
      one.map((count, column) => count + (other[column] ?? 0)),
      await figuresOf(allNodes),
    );
    t.strictSame(await figuresOf(allNodes), [3, 0, 2, 1], 'all, drivers, riders, operators');
    for (const row of await nodeRows.all()) t.match(await row.innerText(), /Up/);
    t.match(page.url(), /#\/system/);
    await page.getByRole('img', { name: /^Connections since this room was opened/ }).waitFor(patient);
    await page.getByRole('table', { name: 'Upgrades' }).getByText('Accepted').waitFor(patient);
  });

  t.test('by keyboard alone one connection of a person is ended, on another node, and the count falls', async (t) => {
    const [first, second] = [await connect(t, 'zora', 0), await connect(t, 'zora', 1)];
    await sumBecomes(page, 3);
    const state = second.client.state;
    const connectionId = 'connectionId' in state ? state.connectionId : '';

    await page.keyboard.press('/');
    await page.keyboard.type('zora');
    await page.keyboard.press('Enter');
    await connectionsOf('zora').nth(1).waitFor(patient);
    t.equal(await connectionsOf('zora').count(), 2);
    t.match(page.url(), /user=zora/, 'the view can be shared');
    t.equal(await field.and(page.locator(':focus')).count(), 1, 'the keyboard is still in the field');

    const end = person.getByRole('button', { name: `End connection ${connectionId}` });
    await tabTo(page, `End connection ${connectionId}`);
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('alertdialog', { name: 'End this connection?' });
    await dialog.getByText(/4502.*does not come back by itself/).waitFor(patient);
    t.equal(await focusedName(page), 'Cancel', 'a hasty Enter ends nothing');
    await page.keyboard.press('Escape');
    await dialog.waitFor({ ...patient, state: 'detached' });
    t.equal(second.client.state.name, 'live');

    await waitFor(async () => (await focusedName(page)) === `End connection ${connectionId}`, {
      ...within,
      what: 'the focus back on the button',
    });
    await page.keyboard.press('Enter');
    await dialog.waitFor(patient);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await waitFor(() => second.client.state.name === 'closed', { ...within, what: 'the end of the connection' });
    t.match(second.client.state, { name: 'closed', reason: 'ended_by_server', code: closeCodes.endedByOperator });
    await person.getByText('The connection was ended.').waitFor(patient);
    await end.waitFor({ ...patient, state: 'detached' });
    t.equal(await connectionsOf('zora').count(), 1);
    t.equal(await focusedName(page), 'Connections of a person', 'the keyboard goes on where the list is');
    t.equal(first.client.state.name, 'live', 'the other one goes on');
    await sumBecomes(page, 2);
    await page
      .getByRole('table', { name: 'Close codes' })
      .getByRole('row', { name: /^4502 Ended by an operator/ })
      .waitFor(patient);
  });

  t.test('a notice reaches them, and signing out everywhere ends the rest', async (t) => {
    const vera = await connect(t, 'vera', 1);
    await field.fill('vera');
    await person.getByRole('button', { name: 'Look up' }).click();
    await connectionsOf('vera').first().waitFor(patient);

    await person.getByRole('button', { name: 'Send a notice' }).click();
    await page.getByRole('textbox', { name: 'Title' }).fill('Gate 4');
    await page.getByRole('button', { name: 'Send notice' }).click();
    await waitFor(() => vera.notices.length === 1, { ...within, what: 'the notice' });
    t.strictSame(vera.notices, ['Gate 4']);

    await person.getByRole('button', { name: 'Sign out everywhere' }).click();
    const dialog = page.getByRole('alertdialog', { name: 'Sign vera out everywhere?' });
    await dialog.getByRole('radio', { name: 'Banned' }).check();
    await dialog.getByRole('button', { name: 'Sign out everywhere' }).click();
    await waitFor(() => vera.client.state.name === 'closed', { ...within, what: 'the end of her session' });
    t.match(vera.client.state, { code: closeCodes.sessionEnded });
    await person.getByText('No open connection').waitFor(patient);
  });

  t.test('what is no id is not looked up; a reload shows the same person', async (t) => {
    await field.fill('no id');
    await field.press('Enter');
    await person.getByRole('alert').waitFor(patient);
    t.match(page.url(), /user=vera/);

    await page.reload();
    await person.getByText('No open connection').waitFor(patient);
    t.equal(await field.inputValue(), 'vera');
  });

  t.test('a node that is killed is shown as gone, and leaves the sum', async (t) => {
    await waitFor(async () => (await nodeRows.count()) === 2, { ...within, what: 'both nodes' });
    await system.realtimes[1]?.process.kill9();
    await nodeRows.filter({ hasText: 'Gone' }).waitFor(patient);
    await page
      .getByRole('status')
      .filter({ hasText: 'No longer up:' })
      .waitFor({ ...patient, state: 'attached' });
    await waitFor(async () => (await nodeRows.count()) === 1, { ...within, what: 'its row to leave' });
    t.pass('after a moment its row leaves');
  });

  t.test('figures that cannot be renewed stay, with what happened', async (t) => {
    const api = system.apis[0];
    await api?.process.kill9();
    const complaint = page.getByRole('alert').filter({ hasText: 'The figures are not renewed.' });
    await complaint.waitFor(patient);
    t.equal(await nodeRows.count(), 1, 'the last ones are still shown');
    await api?.restart();
    await complaint.waitFor({ ...patient, state: 'detached' });
  });
}

async function sumBecomes(page: Page, count: number): Promise<void> {
  await page
    .getByTestId('connection-count')
    .and(page.getByText(String(count), { exact: true }))
    .waitFor(patient);
}

/** A text: this side of the test knows no DOM. */
const focusedName = (page: Page) =>
  page.evaluate<string>('document.activeElement.getAttribute("aria-label") ?? document.activeElement.textContent');

/** Forward with Tab until the control of this name has the focus, as somebody without a mouse does. */
async function tabTo(page: Page, name: string): Promise<void> {
  for (let presses = 0; presses < 30; presses += 1) {
    await page.keyboard.press('Tab');
    if ((await focusedName(page)) === name) return;
  }
  throw new Error(`Tab does not lead to ${name}`);
}
