import type { Template } from './template.ts';

/** To whoever heard of the SOS. */
export const sosResolved: Template = {
  variables: ['person'],
  links: [],
  whatsapp: ['person'],
  lifeMs: 86_400_000,
  isUrgent: true,
  isCode: false,
  words: {
    en: {
      subject: 'The SOS is over',
      text: 'The SOS of {{person}} is over. Our safety team has closed it.',
      html: '<p>The SOS of {{person}} is over. Our safety team has closed it.</p>',
    },
    hi: {
      subject: 'SOS समाप्त हुआ',
      text: '{{person}} का SOS समाप्त हुआ। हमारी सुरक्षा टीम ने इसे बंद कर दिया है।',
      html: '<p>{{person}} का SOS समाप्त हुआ। हमारी सुरक्षा टीम ने इसे बंद कर दिया है।</p>',
    },
  },
};
