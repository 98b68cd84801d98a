// An identity provider on loopback for the tests: `node provider.mjs SETTINGS.json`.
import { readFileSync } from 'node:fs'
import { Provider } from 'oidc-provider'

const settings = JSON.parse(readFileSync(process.argv[2], 'utf8'))
const provider = new Provider(settings.issuer, {
  clients: settings.clients,
  jwks: settings.jwks,
  scopes: ['openid', 'consult', 'read', 'admin'],
  cookies: { keys: ['only for tests'] },
  pkce: { required: () => true },
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_, resource) => ({
        scope: 'consult read admin',
        audience: resource,
        accessTokenFormat: 'jwt',
        accessTokenTTL: 300,
      }),
      useGrantedResource: () => true,
    },
  },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
})
provider.listen(settings.port, '127.0.0.1', () => console.log('ready'))
