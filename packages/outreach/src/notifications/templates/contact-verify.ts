import type { Template } from './template.ts';

/** To somebody whom a rider names as emergency contact: the code proves that they can be reached and agree. */
export const contactVerify: Template = {
  variables: ['code', 'minutes', 'person'],
  links: [],
  whatsapp: ['person', 'code'],
  lifeMs: 600_000,
  isUrgent: true,
  isCode: true,
  words: {
    en: {
      subject: 'Be an emergency contact',
      text: '{{person}} wants you as emergency contact on HushRyd. If you agree, tell them this code: {{code}} ({{minutes}} minutes).',
      html: '<p>{{person}} wants you as emergency contact on HushRyd.</p><p>If you agree, tell them this code within {{minutes}} minutes:</p><p class="code">{{code}}</p>',
      spoken: '{{person}} wants you as emergency contact on HushRyd. If you agree, tell them this code: {{code}}.',
    },
    hi: {
      subject: 'आपातकालीन संपर्क बनें',
      text: '{{person}} आपको HushRyd पर आपातकालीन संपर्क बनाना चाहते हैं। सहमत हों तो उन्हें यह कोड बताएँ: {{code}} ({{minutes}} मिनट)।',
      html: '<p>{{person}} आपको HushRyd पर आपातकालीन संपर्क बनाना चाहते हैं।</p><p>सहमत हों तो {{minutes}} मिनट के भीतर उन्हें यह कोड बताएँ:</p><p class="code">{{code}}</p>',
      spoken: '{{person}} आपको HushRyd पर आपातकालीन संपर्क बनाना चाहते हैं। सहमत हों तो उन्हें यह कोड बताएँ: {{code}}।',
    },
  },
};
