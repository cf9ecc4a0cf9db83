import type { Template } from './template.ts';

/** To those with whom a rider shares the trip. */
export const rideStarted: Template = {
  variables: ['person', 'link'],
  links: ['link'],
  whatsapp: ['person', 'link'],
  lifeMs: 3_600_000,
  isUrgent: false,
  isCode: false,
  words: {
    en: {
      subject: 'A ride has started',
      text: '{{person}} is on the way. Follow the ride: {{link}}',
      html: '<p>{{person}} is on the way.</p><p><a href="{{link}}">Follow the ride</a></p>',
    },
    hi: {
      subject: 'एक सवारी शुरू हुई है',
      text: '{{person}} रास्ते में हैं। सवारी देखें: {{link}}',
      html: '<p>{{person}} रास्ते में हैं।</p><p><a href="{{link}}">सवारी देखें</a></p>',
    },
  },
};
