// The official client library, as its users use it: nothing in here knows of a proxy.
//
// Where it goes is said by the `[gateway]` section of its own configuration file in the home folder. Reads calls from
// standard input, one JSON object, and prints what came of each, one JSON object.

const library = require("purecloud-platform-client-v2");

function holder(method) {
    const apis = Object.keys(library).filter((name) => name.endsWith("Api") && library[name].prototype);
    const name = apis.find((name) => typeof library[name].prototype[method] === "function");
    if (name === undefined) {
        throw new Error(`no such call: ${method}`);
    }
    return new library[name]();
}

async function call(method, args) {
    return holder(method)[method](...args);
}

// Submits a job, asks for its state until it is done, and reads every page of its results.
async function job(name, body, pageSize) {
    const { jobId } = await call(`post${name}Jobs`, [body]);
    let state = "QUEUED";
    for (let polls = 0; state !== "FULFILLED"; polls += 1) {
        if (polls > 50) {
            throw new Error(`the job is ${state}`);
        }
        ({ state } = await call(`get${name}Job`, [jobId]));
    }
    const rows = [];
    let pages = 0;
    let cursor;
    do {
        const page = await call(`get${name}JobResults`, [jobId, cursor ? { cursor, pageSize } : { pageSize }]);
        rows.push(...(page.results ?? page.conversations ?? []));
        cursor = page.cursor;
        pages += 1;
    } while (cursor);
    return { jobId, rows, pages };
}

async function main() {
    let text = "";
    for await (const piece of process.stdin) {
        text += piece;
    }
    const client = library.ApiClient.instance;
    client.setEnvironment(library.PureCloudRegionHosts.us_east_1);
    const answers = [];
    for (const person of JSON.parse(text)) {
        await client.loginClientCredentialsGrant(person.client, person.secret);
        for (const asked of person.calls) {
            try {
                const { method, args } = asked;
                answers.push({ answer: await (method ? call(method, args) : job(asked.job, asked.body, asked.pageSize)) });
            } catch (refused) {
                if (refused.status === undefined) {
                    throw refused;
                }
                answers.push({ status: refused.status, body: refused });
            }
        }
    }
    process.stdout.write(JSON.stringify(answers), () => process.exit(0));
}

main().catch((fault) => {
    console.error(fault.status, JSON.stringify(fault), fault.stack);
    process.exit(1);
});
