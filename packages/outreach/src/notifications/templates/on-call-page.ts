import type { Template } from './template.ts';

/** To the person on duty, when nobody has acknowledged an alert. */
export const onCallPage: Template = {
  variables: ['alert', 'level', 'link'],
  links: ['link'],
  whatsapp: ['alert', 'level', 'link'],
  lifeMs: 3_600_000,
  isUrgent: true,
  isCode: false,
  words: {
    en: {
      subject: 'SOS not acknowledged',
      text: 'SOS {{alert}} is not acknowledged (level {{level}}). Take it: {{link}}',
      html: '<p class="alarm">SOS {{alert}} is not acknowledged (level {{level}}).</p><p><a class="button" href="{{link}}">Take it</a></p>',
      spoken: 'HushRyd. An S O S alert is not acknowledged, level {{level}}. Press 1 to acknowledge it.',
    },
    hi: {
      subject: 'SOS स्वीकार नहीं हुआ',
      text: 'SOS {{alert}} स्वीकार नहीं हुआ है (स्तर {{level}})। इसे लें: {{link}}',
      html: '<p class="alarm">SOS {{alert}} स्वीकार नहीं हुआ है (स्तर {{level}})।</p><p><a class="button" href="{{link}}">इसे लें</a></p>',
      spoken: 'HushRyd. एक SOS स्वीकार नहीं हुआ है, स्तर {{level}}। स्वीकार करने के लिए 1 दबाएँ।',
    },
  },
};
