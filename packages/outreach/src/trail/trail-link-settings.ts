import Type from 'typebox';

/** Variables of every process that makes links for contacts, or reads them: spread into a service's schema, beside the field keys. */
export const trailLinkEnvironment = {
  /** The page of the links in messages to contacts; the api serves it as /share.html. */
  SHARE_PAGE_URL: Type.String({
    pattern: '^https?://[^#]+$',
    default: 'http://127.0.0.1:5000/share.html',
    expects: 'an address such as https://api.example/share.html',
  }),
};
