import { chromium } from 'playwright-core';
import t from 'tap';
import type { Providers } from '../src/providers.ts';
import { startSandbox } from '../src/sandbox/start-sandbox.ts';
import { openProviders } from './conformance/provider-cases.ts';
import { startListener } from './start-listener.ts';

/** The runner finds a Chromium for files that name it. */
const program = process.env.CHROMIUM_PATH;
const skip = program === undefined ? (process.env.CHROMIUM_MISSING ?? 'CHROMIUM_PATH names no Chromium') : false;
const patient = { timeout: 30_000 };
const link = 'https://hushryd.test/share#abc';

t.test('the inbox shows what comes, as phones would', { skip }, async (t) => {
  const listener = await startListener(t, { keys: () => providers.webhookKeys });
  const sandbox = await startSandbox({ webhookBaseUrl: listener.baseUrl, receiptDelayMs: 5 });
  const providers = openProviders(sandbox.environment);
  const browser = await chromium.launch({ executablePath: program ?? '', args: ['--no-sandbox', '--disable-sync'] });
  t.teardown(async () => {
    await browser.close();
    await providers.close();
    await sandbox.close();
  });
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  const troubles: string[] = [];
  page.on('pageerror', (error) => troubles.push(String(error)));
  page.on('console', (message) => message.type() === 'error' && troubles.push(message.text()));
  page.on('dialog', (dialog) => {
    troubles.push('a dialog was opened');
    void dialog.dismiss();
  });
  await page.goto(sandbox.url);
  await page.getByRole('heading', { name: 'No message yet' }).waitFor(patient);

  await sendEverything(providers, `${listener.baseUrl}/twilio-voice/x/y`);

  const phone = page.getByRole('article', { name: '+919845012345' });
  await phone.getByText('Meera pressed SOS').waitFor(patient);
  t.equal(await phone.getByRole('link', { name: link }).getAttribute('href'), link, 'addresses can be followed');
  const mail = page.frameLocator('iframe').first();
  await mail.getByText('Follow her').waitFor(patient);
  t.same(await page.evaluate(() => (globalThis as { hacked?: boolean }).hacked), undefined, 'no script of a mail runs');
  t.equal(await page.locator('article img').count(), 0, 'and a text is text');

  await phone.getByRole('button', { name: 'Answer' }).click(patient);
  await phone.getByRole('button', { name: 'Press 1' }).click(patient);
  await phone.getByText('Pressed 1').waitFor(patient);
  t.match(await listener.waitFor(({ digits }) => digits === '1', { withinMs: 20_000, what: 'the key' }), {
    status: 'answered',
  });

  await page.getByRole('button', { name: 'Mail' }).click(patient);
  await phone.waitFor({ state: 'detached', ...patient });
  t.equal(await page.getByRole('article').count(), 1, 'only mails are shown');
  await page.getByRole('searchbox').fill('no such words');
  await page.getByRole('heading', { name: 'Nothing fits' }).waitFor(patient);
  await page.getByRole('button', { name: 'Clear all' }).click(patient);
  await page.getByText('Add an emergency contact').waitFor(patient);
  await page.getByRole('heading', { name: 'No message yet' }).waitFor(patient);
  t.same(
    troubles.filter((trouble) => !isBlockedScript(trouble)),
    [],
  );
});

async function sendEverything({ sms, email, voice }: Providers, receiptUrl: string): Promise<void> {
  const context = (attemptId: string) => ({ attemptId, receiptUrl, deadlineMs: 10_000 });
  const to = '+919845012345';
  await sms[0]?.send({ to, text: `Meera pressed SOS <img src=x onerror=alert(1)> ${link}` }, context('a1'));
  const html = '<p>Follow her</p><script>parent.hacked = true</script><img src=x onerror="parent.hacked = true">';
  await email[0]?.send({ to: 'asha@example.test', subject: 'SOS', text: 'x', html }, context('a2'));
  const gather = { digitsUrl: `${receiptUrl}/digits`, maxDigits: 1 };
  await voice[0]?.send({ to, sayText: 'Press 1', language: 'en-IN', gather }, context('a3'));
}

/** What the browser says when it keeps a mail from running its script, or from loading a picture that is not there. */
function isBlockedScript(text: string): boolean {
  return /Blocked script execution|Content Security Policy|Failed to load resource/.test(text);
}
