import type { Template } from './template.ts';

/** To those with whom a rider shared the trip. */
export const rideEnded: Template = {
  variables: ['person'],
  links: [],
  whatsapp: ['person'],
  lifeMs: 3_600_000,
  isUrgent: false,
  isCode: false,
  words: {
    en: {
      subject: 'A ride has ended',
      text: '{{person}} has arrived. The ride has ended.',
      html: '<p>{{person}} has arrived. The ride has ended.</p>',
    },
    hi: {
      subject: 'एक सवारी पूरी हुई है',
      text: '{{person}} पहुँच गए हैं। सवारी पूरी हुई।',
      html: '<p>{{person}} पहुँच गए हैं। सवारी पूरी हुई।</p>',
    },
  },
};
