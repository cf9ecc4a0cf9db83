/** What the page says. `{age}` and the like are filled in. */
const english = {
  locale: 'en-IN',
  otherLanguage: 'हिन्दी',
  loadingTitle: 'One moment',
  loadingText: 'Looking for the newest place.',
  openTitle: 'Help is needed',
  openText: 'An SOS was raised. The HushRyd safety team has been told.',
  acknowledgedTitle: 'The safety team is on it',
  acknowledgedText: 'Somebody of the HushRyd safety team takes care. It is not over yet.',
  endedTitle: 'The alert has ended',
  endedText: 'The live place is not shown any more, only roughly where it was at the end.',
  expiredTitle: 'This link has expired',
  expiredText: 'It shows nothing any more. Call the person, and 112 if you fear for them.',
  invalidTitle: 'This link does not work',
  invalidText: 'Open it once more from the message that you got; it may have been cut off.',
  staleNotice: 'The newest place is {age} old. The phone may be off, or without a network.',
  offlineNotice: 'No connection for {age}. What you see may be out of date.',
  noPlaceNotice: 'No place has come from the phone yet.',
  person: 'Person',
  driver: 'Vehicle',
  start: 'Alert raised',
  ago: '{age} ago',
  accuracy: 'within {meters} m',
  speed: '{kmh} km/h',
  roughly: 'roughly, within a kilometre',
  seconds: '{n} s',
  minutes: '{n} min',
  hours: '{n} h',
  raised: 'SOS raised',
  acknowledged: 'Taken by the team',
  ended: 'Ended',
  expires: 'Link works until',
  maps: 'Open in maps',
  app: 'Open in an app',
  copy: 'Copy the place',
  copied: 'Copied',
  emergency: 'Call 112',
  drawing: 'Trail, north is up. {places}',
};

const hindi = {
  locale: 'hi-IN',
  otherLanguage: 'English',
  loadingTitle: 'एक क्षण',
  loadingText: 'सबसे नई जगह खोजी जा रही है।',
  openTitle: 'मदद की ज़रूरत है',
  openText: 'SOS भेजा गया है। HushRyd की सुरक्षा टीम को बता दिया गया है।',
  acknowledgedTitle: 'सुरक्षा टीम मदद कर रही है',
  acknowledgedText: 'HushRyd की सुरक्षा टीम का एक सदस्य इसे देख रहा है। यह अभी समाप्त नहीं हुआ है।',
  endedTitle: 'अलर्ट समाप्त हो गया है',
  endedText: 'लाइव जगह अब नहीं दिखाई जाती, केवल मोटे तौर पर आख़िरी जगह।',
  expiredTitle: 'इस लिंक की अवधि समाप्त हो गई है',
  expiredText: 'यह अब कुछ नहीं दिखाता। उस व्यक्ति को फ़ोन करें, और ख़तरे की आशंका हो तो 112 पर।',
  invalidTitle: 'यह लिंक काम नहीं करता',
  invalidText: 'मिले हुए संदेश से इसे दोबारा खोलें; हो सकता है लिंक अधूरा हो।',
  staleNotice: 'सबसे नई जगह {age} पुरानी है। हो सकता है फ़ोन बंद हो या नेटवर्क न हो।',
  offlineNotice: '{age} से कनेक्शन नहीं है। जो दिख रहा है वह पुराना हो सकता है।',
  noPlaceNotice: 'फ़ोन से अभी तक कोई जगह नहीं मिली है।',
  person: 'व्यक्ति',
  driver: 'वाहन',
  start: 'अलर्ट यहाँ भेजा गया',
  ago: '{age} पहले',
  accuracy: '{meters} मी के दायरे में',
  speed: '{kmh} किमी/घं',
  roughly: 'मोटे तौर पर, एक किलोमीटर के दायरे में',
  seconds: '{n} से॰',
  minutes: '{n} मिनट',
  hours: '{n} घंटे',
  raised: 'SOS भेजा गया',
  acknowledged: 'टीम ने संभाला',
  ended: 'समाप्त',
  expires: 'लिंक तब तक चलेगा',
  maps: 'मैप में खोलें',
  app: 'ऐप में खोलें',
  copy: 'जगह कॉपी करें',
  copied: 'कॉपी हो गया',
  emergency: '112 पर कॉल करें',
  drawing: 'रास्ता, उत्तर ऊपर है। {places}',
};

export const languages = { en: english, hi: hindi };

/** @param {string} text @param {Record<string, string | number>} values */
export const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ''));

/** An age in the largest unit that says something. @param {typeof english} words @param {number} ms */
export function sayAge(words, ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 90) return fill(words.seconds, { n: seconds });
  if (seconds < 5400) return fill(words.minutes, { n: Math.round(seconds / 60) });
  return fill(words.hours, { n: Math.round(seconds / 3600) });
}
