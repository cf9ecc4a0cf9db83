import type { Template } from './template.ts';

/** To the emergency contacts of somebody who pressed SOS; the link shows the trail without a sign-in. */
export const sosAlert: Template = {
  variables: ['person', 'link'],
  links: ['link'],
  whatsapp: ['person', 'link'],
  whatsappButton: 'link',
  lifeMs: 86_400_000,
  isUrgent: true,
  isCode: false,
  words: {
    en: {
      subject: 'SOS: somebody needs your help now',
      text: 'SOS: {{person}} needs help now. See where they are: {{link}} In danger call 112.',
      html: '<p class="alarm">{{person}} pressed SOS and needs help now.</p><p><a class="button" href="{{link}}">See where they are</a></p><p>Call them. In danger call 112.</p>',
      spoken:
        'This is HushRyd with an emergency. {{person}} pressed S O S and needs help now. We have sent you a message that shows where they are.',
    },
    hi: {
      subject: 'SOS: किसी को अभी आपकी मदद चाहिए',
      text: 'SOS: {{person}} को अभी मदद चाहिए। देखें वे कहाँ हैं: {{link}} ख़तरे में 112 पर कॉल करें।',
      html: '<p class="alarm">{{person}} ने SOS दबाया है और उन्हें अभी मदद चाहिए।</p><p><a class="button" href="{{link}}">देखें वे कहाँ हैं</a></p><p>उन्हें कॉल करें। ख़तरे में 112 पर कॉल करें।</p>',
      spoken:
        'यह HushRyd की आपातकालीन सूचना है। {{person}} ने SOS दबाया है और उन्हें अभी मदद चाहिए। हमने आपको एक संदेश भेजा है जिसमें उनकी जगह दिखती है।',
    },
  },
};
