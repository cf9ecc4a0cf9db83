import { messageLocales, messageTemplates } from '@hushryd/contracts/http/notifications';
import fc from 'fast-check';
import t from 'tap';
import { allTemplates } from './all-templates.ts';
import { readVariables, render } from './render.ts';
import type { Template } from './template.ts';

const link = 'https://ride.example/s/abc_DEF-123#k=v';

function variablesOf({ variables, links }: Template, text = 'Asha & Co'): Record<string, string> {
  return Object.fromEntries(variables.map((name) => [name, links.includes(name) ? link : text]));
}

for (const name of messageTemplates) {
  const template: Template = allTemplates[name];
  for (const locale of messageLocales) {
    t.test(`${name} in ${locale}`, async (t) => {
      const words = template.words[locale];
      const rendered = render({ template, locale, variables: variablesOf(template) });

      t.notMatch(words.subject, /\{\{/, 'nobody’s text stands in a subject');
      for (const [part, text] of Object.entries(rendered)) {
        t.ok(text.trim().length > 0, part);
        t.notMatch(text, /\{\{|\}\}|undefined/, `${part} is complete`);
      }
      for (const variable of template.variables) {
        t.ok(words.text.includes(`{{${variable}}}`), `the text has ${variable}`);
        t.ok(words.html.includes(`{{${variable}}}`), `the mail has ${variable}`);
      }
      if (template.links.length > 0) {
        t.ok(rendered.text.includes(link));
        t.ok(rendered.html.includes(`href="${link}"`));
      }
      // Only what is ours may be where a mail leads to.
      for (const [, variable = ''] of words.html.matchAll(/(?:href|src)="\{\{(\w+)\}\}"/g)) {
        t.ok(template.links.includes(variable), `${variable} is an address of ours`);
      }
      t.notMatch(words.html.replace(/href="\{\{\w+\}\}"/g, ''), /(?:href|src|style)=/);
      for (const variable of template.whatsapp) t.ok(template.variables.includes(variable));
    });
  }
}

t.test('both languages say something of their own', async (t) => {
  for (const { words } of Object.values(allTemplates)) {
    t.match(words.hi.text, /\p{Script=Devanagari}/u);
    t.notMatch(words.en.text, /\p{Script=Devanagari}/u);
  }
});

t.test('whatever people call themselves, it is shown and does nothing', async (t) => {
  const seed = Date.now() % 2 ** 31;
  t.comment(`fast-check seed ${seed}`);
  const template = allTemplates.ride_started;
  const name = fc.oneof(
    fc.string({ unit: 'binary', minLength: 1, maxLength: 300 }),
    fc.constantFrom(
      '<script>alert(1)</script>',
      'x" onclick="y',
      'see http://evil.example/x',
      'evil.example',
      'a\r\nBcc: b',
      '{{link}}',
      '__proto__',
    ),
  );
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(name, (person) => {
        const rendered = render({ template, locale: 'en', variables: { person, link } });
        const body = /<main>([\s\S]*)<\/main>/.exec(rendered.html)?.[1] ?? '';
        const tags = [...body.matchAll(/<[^>]*>/g)].map(([tag]) => tag);
        const addresses = [...rendered.text.matchAll(/\w+:\/\/\S+/g)].map(([address]) => address);
        return (
          tags.join('') === `<p></p><p><a href="${link}"></a></p>` &&
          addresses.join() === link &&
          !/\p{Cc}/u.test(rendered.text) &&
          !/[\w]\.[\w]/.test(rendered.text.replace(link, '')) &&
          rendered.subject === template.words.en.subject
        );
      }),
      { seed, numRuns: 2_000 },
    ),
  );
});

t.test('what is missing or no address of ours is refused', async (t) => {
  const template = allTemplates.ride_started;
  t.throws(() => readVariables(template, { person: 'Asha' }), { name: 'RangeError' });
  t.throws(() => readVariables(template, { person: '', link }), { name: 'RangeError' });
  for (const wrong of ['javascript:alert(1)', 'ride.example/s/1', 'https://x"y', 'https://a.example/ b']) {
    t.throws(() => readVariables(template, { person: 'Asha', link: wrong }), { name: 'RangeError' }, wrong);
  }
});

t.test('who is told of the end is not told that staff ended it, which the person may have done', async (t) => {
  const { words } = allTemplates.sos_resolved;
  for (const text of [words.en.text, words.en.html]) t.match(text, /they or our safety team/i);
  for (const text of [words.hi.text, words.hi.html]) t.match(text, /उन्होंने या हमारी सुरक्षा टीम ने/u);
});

t.test('a code is read out digit by digit', async (t) => {
  const { spoken } = render({ template: allTemplates.otp, locale: 'en', variables: { code: '482913', minutes: '10' } });
  t.match(spoken, /4 8 2 9 1 3/);
});
