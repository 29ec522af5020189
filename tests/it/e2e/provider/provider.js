// An identity provider that nobody of this project wrote (npm `oidc-provider`), told what to do line by line.
//
// Each line of standard input is an order in JSON, each line of standard output its result. It listens on loopback only, and ends
// with its standard input.
'use strict';

const http = require('node:http');
const crypto = require('node:crypto');
const readline = require('node:readline');

const AUDIENCE = 'reports';
const counts = {};
let issuer, server, provider, up = true, logoutAt;
let keys = [];

function newKey(kid) {
    const { privateKey } = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
    return { ...privateKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'ES256' };
}

async function open() {
    const { Provider } = require('oidc-provider');
    const portal = {
        client_id: 'portal',
        client_secret: 'portal-secret',
        grant_types: ['authorization_code'],
        response_types: ['code'],
        redirect_uris: [`${issuer}/came-back`],
        id_token_signed_response_alg: 'ES256',
    };
    if (logoutAt) {
        Object.assign(portal, { backchannel_logout_uri: logoutAt, backchannel_logout_session_required: true });
    }
    const machine = { grant_types: ['client_credentials'], response_types: [], redirect_uris: [], id_token_signed_response_alg: 'ES256' };
    provider = new Provider(issuer, {
        clients: [
            portal,
            { client_id: 'exporter-client', client_secret: 'exporter-secret', ...machine },
            { client_id: 'proxy', client_secret: 'proxy-secret', ...machine },
        ],
        clientAuthMethods: ['client_secret_basic', 'client_secret_post'],
        enabledJWA: { idTokenSigningAlgValues: ['ES256'] },
        jwks: { keys },
        cookies: { keys: ['not a secret'] },
        findAccount: (_, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
        pkce: { required: () => false },
        // its own refuses addresses of this machine
        fetch: (url, { dispatcher, ...options }) => fetch(url, options),
        ttl: { Session: 3600, Grant: 3600, Interaction: 600, AccessToken: 3600, ClientCredentials: 600, IdToken: 3600 },
        features: {
            devInteractions: { enabled: true },
            clientCredentials: { enabled: true },
            introspection: { enabled: true },
            rpInitiatedLogout: { enabled: true },
            backchannelLogout: { enabled: true },
            resourceIndicators: {
                enabled: true,
                getResourceServerInfo: (_, resource) => ({
                    scope: 'ask',
                    audience: AUDIENCE,
                    accessTokenTTL: 3600,
                    accessTokenFormat: resource.endsWith('opaque') ? 'opaque' : 'jwt',
                    jwt: { sign: { alg: 'ES256' } },
                }),
                useGrantedResource: () => true,
            },
        },
    });
    provider.on('server_error', (_, error) => console.error(error));
    provider.on('backchannel.error', (_, error) => console.error(error));
    const answer = provider.callback();
    server.removeAllListeners('request');
    server.on('request', (request, response) => {
        const path = request.url.split('?')[0];
        counts[path] = (counts[path] || 0) + 1;
        if (up) return answer(request, response);
        return request.socket.destroy();
    });
}

const basic = (id, secret) => `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;

async function posted(path, form, headers = {}) {
    const body = new URLSearchParams(form);
    const response = await fetch(`${issuer}${path}`, { method: 'POST', body, headers, redirect: 'manual' });
    return response;
}

async function clientToken({ opaque }) {
    const form = { grant_type: 'client_credentials', scope: 'ask', resource: opaque ? 'urn:reports:opaque' : 'urn:reports' };
    const response = await posted('/token', form, { authorization: basic('exporter-client', 'exporter-secret') });
    return response.json();
}

// A browser with one jar of cookies.
class Browser {
    constructor() {
        this.jar = new Map();
    }

    async ask(url, form) {
        const headers = { cookie: [...this.jar].map(([name, value]) => `${name}=${value}`).join('; ') };
        const options = form ? { method: 'POST', body: new URLSearchParams(form) } : {};
        const response = await fetch(new URL(url, issuer), { ...options, headers, redirect: 'manual' });
        for (const line of response.headers.getSetCookie()) {
            const [pair] = line.split(';');
            const at = pair.indexOf('=');
            const [name, value] = [pair.slice(0, at), pair.slice(at + 1)];
            if (value) this.jar.set(name, value);
            else this.jar.delete(name);
        }
        return response;
    }

    // Follows redirects of the provider until something else comes, or it would leave with a code.
    async follow(response) {
        for (let steps = 0; steps < 20; steps += 1) {
            const location = response.headers.get('location');
            if (!location || location.startsWith(`${issuer}/came-back`)) return [response, location];
            response = await this.ask(location);
        }
        throw new Error('redirects without end');
    }
}

const browsers = new Map();

async function logIn({ user, opaque }) {
    const resource = opaque ? 'urn:reports:opaque' : 'urn:reports';
    const browser = new Browser();
    const query = new URLSearchParams({
        client_id: 'portal', response_type: 'code', scope: 'openid ask', resource, redirect_uri: `${issuer}/came-back`,
    });
    let [response, location] = await browser.follow(await browser.ask(`/auth?${query}`));
    for (let step = 0; !location && step < 5; step += 1) {
        const page = await response.text();
        const action = /<form[^>]* action="([^"]+)"/.exec(page);
        const prompt = /name="prompt" value="([^"]+)"/.exec(page);
        if (!action || !prompt) throw new Error(`no form in ${response.status} ${page.slice(0, 500)}`);
        const form = { prompt: prompt[1], ...(prompt[1] === 'login' ? { login: user, password: 'any' } : {}) };
        [response, location] = await browser.follow(await browser.ask(action[1], form));
    }
    const code = new URL(location).searchParams.get('code');
    if (!code) throw new Error(`no code in ${location}`);
    const form = { grant_type: 'authorization_code', code, redirect_uri: `${issuer}/came-back`, resource };
    const tokens = await (await posted('/token', form, { authorization: basic('portal', 'portal-secret') })).json();
    if (!tokens.access_token) throw new Error(JSON.stringify(tokens));
    browsers.set(user, { browser, tokens });
    return tokens;
}

async function logOut({ user }) {
    const { browser, tokens } = browsers.get(user);
    const query = new URLSearchParams({ id_token_hint: tokens.id_token, client_id: 'portal' });
    const page = await (await browser.ask(`/session/end?${query}`)).text();
    const action = /action="([^"]+)"/.exec(page);
    const xsrf = /name="xsrf" value="([^"]+)"/.exec(page);
    if (!action || !xsrf) throw new Error(`no form in ${page.slice(0, 500)}`);
    const response = await browser.ask(action[1], { xsrf: xsrf[1], logout: 'yes' });
    return { status: response.status };
}

const orders = {
    token: clientToken,
    'log-in': logIn,
    'log-out': logOut,
    // Signs with a new key from now on; `keep`: the old ones are published too.
    async rotate({ kid, keep }) {
        keys = [newKey(kid), ...(keep ? keys : [])];
        await open();
        return {};
    },
    async 'log-outs-to'({ uri }) {
        logoutAt = uri;
        await open();
        return {};
    },
    async up() {
        up = true;
        return {};
    },
    async down() {
        up = false;
        server.closeAllConnections();
        return {};
    },
    async counts() {
        return { ...counts };
    },
};

server = http.createServer();
server.listen(0, '127.0.0.1', async () => {
    issuer = `http://127.0.0.1:${server.address().port}`;
    keys = [newKey('first')];
    await open();
    console.log(JSON.stringify({ issuer }));
    const lines = readline.createInterface({ input: process.stdin });
    for await (const line of lines) {
        const order = JSON.parse(line);
        const done = await orders[order.do](order).catch((error) => ({ failed: String(error.stack || error) }));
        console.log(JSON.stringify(done));
    }
    process.exit(0);
});
