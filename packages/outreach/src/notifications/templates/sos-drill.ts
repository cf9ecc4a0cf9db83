import type { Template } from './template.ts';

/** To the emergency contacts of somebody who tries out whether they would be reached. As loud as the real one, or it would show little. */
export const sosDrill: Template = {
  variables: ['person'],
  links: [],
  whatsapp: ['person'],
  lifeMs: 3_600_000,
  isUrgent: true,
  isCode: false,
  words: {
    en: {
      subject: 'EXERCISE: a test of the SOS, nobody is in danger',
      text: 'EXERCISE, no emergency: {{person}} is testing whether an SOS would reach you. It has. Nobody is in danger, there is nothing to do.',
      html: '<p><strong>This is an exercise. Nobody is in danger.</strong></p><p>{{person}} is testing whether an SOS would reach you. It has. There is nothing to do.</p>',
      spoken:
        'This is HushRyd with an exercise. Nobody is in danger. {{person}} is testing whether an S O S would reach you. There is nothing to do.',
    },
    hi: {
      subject: 'अभ्यास: SOS की जाँच, कोई ख़तरे में नहीं है',
      text: 'अभ्यास, कोई आपात स्थिति नहीं: {{person}} जाँच रहे हैं कि SOS आप तक पहुँचता है या नहीं। यह पहुँच गया। कोई ख़तरे में नहीं है, आपको कुछ नहीं करना है।',
      html: '<p><strong>यह एक अभ्यास है। कोई ख़तरे में नहीं है।</strong></p><p>{{person}} जाँच रहे हैं कि SOS आप तक पहुँचता है या नहीं। यह पहुँच गया। आपको कुछ नहीं करना है।</p>',
      spoken:
        'यह HushRyd का अभ्यास है। कोई ख़तरे में नहीं है। {{person}} जाँच रहे हैं कि SOS आप तक पहुँचता है या नहीं। आपको कुछ नहीं करना है।',
    },
  },
};
