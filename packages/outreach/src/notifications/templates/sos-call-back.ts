import type { Template } from './template.ts';

/** Read out when an operator has the person called who pressed SOS. Whoever else is there may listen. */
export const sosCallBack: Template = {
  variables: [],
  links: [],
  whatsapp: [],
  lifeMs: 600_000,
  isUrgent: true,
  isCode: false,
  words: {
    en: {
      subject: 'HushRyd calls you',
      text: 'This is HushRyd. We are calling about your ride. Please open the app when you can. If you need help call 112.',
      html: '<p>This is HushRyd. We are calling about your ride. Please open the app when you can. If you need help call 112.</p>',
    },
    hi: {
      subject: 'HushRyd आपको कॉल कर रहा है',
      text: 'यह HushRyd है। हम आपकी यात्रा के बारे में कॉल कर रहे हैं। जब हो सके ऐप खोलें। मदद चाहिए तो 112 पर कॉल करें।',
      html: '<p>यह HushRyd है। हम आपकी यात्रा के बारे में कॉल कर रहे हैं। जब हो सके ऐप खोलें। मदद चाहिए तो 112 पर कॉल करें।</p>',
    },
  },
};
