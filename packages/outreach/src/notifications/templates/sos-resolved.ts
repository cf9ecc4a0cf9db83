import type { Template } from './template.ts';

/** To whoever heard of the SOS. Who ended it is not said: the person by PIN, or staff. */
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
      text: 'The SOS of {{person}} is over. They or our safety team have ended it.',
      html: '<p>The SOS of {{person}} is over. They or our safety team have ended it.</p>',
    },
    hi: {
      subject: 'SOS समाप्त हुआ',
      text: '{{person}} का SOS समाप्त हुआ। इसे उन्होंने या हमारी सुरक्षा टीम ने समाप्त किया है।',
      html: '<p>{{person}} का SOS समाप्त हुआ। इसे उन्होंने या हमारी सुरक्षा टीम ने समाप्त किया है।</p>',
    },
  },
};
