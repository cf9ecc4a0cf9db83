import type { Template } from './template.ts';

/** A code to sign in with, or to prove that a number is one's own. */
export const otp: Template = {
  variables: ['code', 'minutes'],
  links: [],
  whatsapp: ['code'],
  lifeMs: 600_000,
  isUrgent: true,
  isCode: true,
  words: {
    en: {
      subject: 'Your HushRyd code',
      text: '{{code}} is your HushRyd code. It is valid for {{minutes}} minutes. Never tell it to anybody, not to us either.',
      html: '<p>Your code:</p><p class="code">{{code}}</p><p>It is valid for {{minutes}} minutes. Never tell it to anybody, not to us either.</p>',
      spoken: 'Your HushRyd code is {{code}}. Again: {{code}}.',
    },
    hi: {
      subject: 'आपका HushRyd कोड',
      text: '{{code}} आपका HushRyd कोड है। यह {{minutes}} मिनट तक मान्य है। इसे किसी को न बताएँ, हमें भी नहीं।',
      html: '<p>आपका कोड:</p><p class="code">{{code}}</p><p>यह {{minutes}} मिनट तक मान्य है। इसे किसी को न बताएँ, हमें भी नहीं।</p>',
      spoken: 'आपका HushRyd कोड है {{code}}। फिर से: {{code}}।',
    },
  },
};
