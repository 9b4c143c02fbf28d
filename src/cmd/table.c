/* The two tables: subcommands and options. */
#include "cmd/internal.h"

#define BIT(id)  (1u << CMD_##id)
#define CAPTURES (BIT(CHECK) | BIT(CALLS) | BIT(MESSAGES) | BIT(FLOW))
#define READING  (CAPTURES | BIT(TUI) | BIT(PROBE) | BIT(RECORD))
#define PRINTING (CAPTURES | BIT(TRUNK) | BIT(EXPLAIN) | BIT(PROBE))
#define ANY      ((1u << CMD_COUNT) - 1)

static const struct cmd_command commands[CMD_COUNT] = {
    [CMD_CHECK] =
        {
            .name = "check",
            .line = "judge calls against trunk and rules; the exit status is the answer",
            .operands = "SOURCE...",
            .formats = "text json tap junit markdown html github ndjson",
            .about = "Follows each request and response of each call over all captures, from its "
                     "sender to where it was seen last, and says for each header that the trunk "
                     "promises what became of it and which node did it. Without a trunk each X- "
                     "header must survive the path unaltered. The exit status is 0 when all that "
                     "is owed holds and each promised header was judged, 1 when something does not "
                     "hold, 3 when nothing failed but a promised header was never judged.",
            .examples =
                "# Which hop takes the headers of the trunk off the BYE?\n"
                "sipxray check --trunk trunk.json livekit=livekit.pcap kam1=kam1.pcap "
                "five9=five9.pcap\n"
                "# Without a trunk: does each X- header survive?\n"
                "sipxray check kam1.pcap kam2.pcap\n"
                "# In a script: a report to read and one for a program\n"
                "sipxray check --trunk trunk.json --format text --format json:check.json *.pcap\n"
                "# For a CI server: annotations, tests, and a page to keep\n"
                "sipxray check --trunk trunk.json --format github --format junit:out.xml --format "
                "html:out.html *.pcap\n"
                "# What did the upgrade change?\n"
                "sipxray check --trunk trunk.json --baseline before.json after/*.pcap\n"
                "# The values are known as well: alterations at the sender are found\n"
                "sipxray check --trunk trunk.json --values values.json *.pcap\n"
                "# By rules of one's own\n"
                "sipxray check --rules rules.yaml --forbid 'X-Internal-*@last-hop' *.pcap\n"
                "# On a proxy, with the capture of another host as it is made, until Ctrl-C\n"
                "sipxray check --trunk trunk.json kam1=iface:any "
                "\"kam2=cmd:ssh kam2 tcpdump -i any -U -w -\"\n",
            .run = cmd_check,
        },
    [CMD_CALLS] =
        {
            .name = "calls",
            .line = "list the calls",
            .operands = "SOURCE...",
            .formats = "text csv ndjson",
            .about =
                "Lists the calls of the captures, each as it ends: start, duration, outcome, "
                "numbers, messages, and how many points saw it. Requests outside of calls, "
                "such as OPTIONS and REGISTER, are listed likewise. --columns lists headers of "
                "their messages, --group-by counts the calls of each campaign, tenant or "
                "queue.",
            .examples = "# The calls of one capture\n"
                        "sipxray calls kam1.pcap\n"
                        "# For a spreadsheet\n"
                        "sipxray calls --format csv:calls.csv livekit.pcap kam1.pcap\n"
                        "# How the calls of each queue went, by what LiveKit says on the BYE\n"
                        "sipxray calls --group-by BYE:X-Five9-Queue livekit.pcap\n"
                        "# Calls that were refused\n"
                        "sipxray calls --format ndjson kam1.pcap | jq 'select(.status >= 400)'\n",
            .run = cmd_calls,
        },
    [CMD_MESSAGES] =
        {
            .name = "messages",
            .line = "list the SIP messages",
            .operands = "SOURCE...",
            .formats = "text ndjson",
            .about = "Lists each SIP message in the order of the captures. With --verbose each "
                     "header is printed. Credentials are masked.",
            .examples = "# The messages of two hosts, merged by time\n"
                        "sipxray messages livekit.pcap kam1.pcap\n"
                        "# With their headers\n"
                        "sipxray messages --verbose kam1.pcap\n"
                        "# As they pass, on an interface of this host\n"
                        "sipxray messages --bpf 'port 5060' iface:eth0\n"
                        "# From a running tcpdump on another host\n"
                        "ssh kam1 tcpdump -U -w - udp port 5060 | sipxray messages kam1=-\n",
            .run = cmd_messages,
        },
    [CMD_FLOW] =
        {
            .name = "flow",
            .line = "draw the ladder of a call over all hops",
            .operands = "SOURCE...",
            .formats = "text mermaid svg html",
            .about =
                "Draws the messages of a call between the elements of its path, caller first, in "
                "order of time, and marks on each arrow what became of the headers since the hop "
                "before: -2 X- means that two X- headers are gone, +1 that another header was "
                "added, ~1 that one has another value. Retransmissions are folded (x3), dashes "
                "stand for what was not captured. What is wider than the terminal is folded.",
            .examples = "# The one call of these captures\n"
                        "sipxray flow livekit=livekit.pcap kam1=kam1.pcap five9=five9.pcap\n"
                        "# One of several, by its Call-ID, with its headers hop by hop\n"
                        "sipxray flow --call a84b4c76e66710@carrier.example --headers *.pcap\n"
                        "# For a report: pictures need no network and follow light and dark\n"
                        "sipxray flow --format svg:call.svg --format html:call.html *.pcap\n",
            .run = cmd_flow,
        },
    [CMD_TUI] =
        {
            .name = "tui",
            .line = "browse calls, ladders and headers on screens",
            .operands = "SOURCE...",
            .about =
                "Shows the calls, the ladder of a call over all hops, the headers of a message hop "
                "by hop with what became of each, and the message itself with the header's bytes "
                "marked. It is what sipxray does without a subcommand where standard output is a "
                "terminal. F1 shows the keys of each screen. Files are read while the screens are "
                "there; Esc stops that.",
            .examples = "# Which hop takes the header away?  Enter, m, Enter\n"
                        "sipxray --trunk trunk.json livekit=livekit.pcap kam1=kam1.pcap\n"
                        "# With a header of BYE as a column to sort and filter by\n"
                        "sipxray --columns caller,callee,BYE:X-Five9-Queue livekit.pcap\n"
                        "# As calls pass, on a proxy\n"
                        "sipxray tui kam1=iface:any\n"
                        "# From another host\n"
                        "ssh kam1 tcpdump -U -w - udp port 5060 | sipxray tui kam1=-\n",
            .run = cmd_tui,
        },
#include "cmd/record_command.def"
    [CMD_PROBE] =
        {
            .name = "probe",
            .line = "send test calls through the path and judge what arrives",
            .operands = "run|call|answer [SOURCE...]",
            .formats = "text json junit tap markdown ndjson",
            .about =
                "Calls through the proxies without a carrier and without LiveKit, and says of each "
                "header whether it arrived as it was sent, and which node took it away. run plays "
                "both ends in one process, call and answer are the two ends apart, each on its "
                "host. With --trunk the messages are those that LiveKit would send by that trunk, "
                "with --suite each case of a table of awkward headers goes over each message in "
                "both directions. SOURCE are capture points on the way: what is live is read "
                "during the calls, files are read after them. The exit status is 0 when all "
                "arrived, 1 when something did not, 3 when nothing failed but something could not "
                "be tried, and 2 when no call came about.",
            .examples =
                "# Does the proxy keep what the trunk promises?  It routes 100 to 10.0.0.5:5080\n"
                "sipxray probe run --via 10.0.0.1 --to sip:100@10.0.0.1 --listen 10.0.0.5:5080 "
                "--trunk trunk.json\n"
                "# Every awkward header, and a capture of the proxy's host, which names it\n"
                "sipxray probe run --suite --via 10.0.0.1 --to sip:100@10.0.0.1 --listen "
                "10.0.0.5:5080 kam1=iface:any\n"
                "# The two ends on two hosts\n"
                "sipxray probe answer --suite --listen 10.0.0.5:5080 --calls 72 > got.ndjson\n"
                "sipxray probe call --suite --via 10.0.0.1 --to sip:100@10.0.0.1\n"
                "# In place of the carrier, with the real LiveKit at the other end\n"
                "sipxray probe call --as carrier --trunk trunk.json --via 10.0.0.1 --to "
                "sip:+15105550100@10.0.0.1\n"
                "# What would be sent?\n"
                "sipxray probe run --dry-run --case 'fold*' --to sip:100@10.0.0.1 --listen "
                "127.0.0.1:5080\n",
            .run = cmd_probe,
        },
    [CMD_TRUNK] =
        {
            .name = "trunk",
            .line = "say what a trunk promises on which message; find its mistakes",
            .operands = "FILE...",
            .formats = "text json",
            .about = "Prints for each trunk in the JSON files which header it promises on which "
                     "message, and the mistakes in it. With --match it says which inbound trunk "
                     "LiveKit would pick for a call, and why. The exit status is 1 when a trunk "
                     "has an error, or when no trunk or several match.",
            .examples = "# What do my trunks promise?\n"
                        "lk sip inbound list --json > trunks.json; sipxray trunk trunks.json\n"
                        "# Which trunk takes this call?\n"
                        "sipxray trunk --match +15105550100 --from +14155550100 --source 10.0.1.1 "
                        "trunks.json\n",
            .run = cmd_trunk,
        },
    [CMD_EXPLAIN] =
        {
            .name = "explain",
            .line = "say what a finding or a cause means, how to prove it, how to mend it",
            .operands = "[ID]",
            .formats = "text json",
            .about = "Explains a finding or a cause that check reports. Without ID it lists all of "
                     "them.",
            .examples = "# What does this finding mean, and what are its usual causes?\n"
                        "sipxray explain header-never-sent\n"
                        "# What to do about a cause\n"
                        "sipxray explain room-deleted\n",
            .run = cmd_explain,
        },
    [CMD_HELP] =
        {
            .name = "help",
            .line = "explain a subcommand, or list the findings",
            .operands = "[SUBCOMMAND | findings]",
            .about = "Explains a subcommand with its options and examples. `sipxray help findings` "
                     "lists what check can find, and the causes that it can name.",
            .examples = "# The options of check\n"
                        "sipxray help check\n",
            .run = cmd_help,
        },
};

static const struct cmd_option options[CMD_OPT_COUNT] = {
    [CMD_OPT_TRUNK] =
        {"trunk", 0, true, false, BIT(RECORD) | BIT(PROBE) | BIT(CHECK) | BIT(FLOW) | BIT(TUI),
         "FILE", "LiveKit trunks as JSON: a list, a create request or a bare trunk",
         "In the shapes that lk sip inbound list --json and lk sip outbound list --json print and "
         "that the create and update commands take; names in camelCase or snake_case. The trunk of "
         "each call is picked as LiveKit would pick it. A dash reads standard input. flow marks "
         "what "
         "it promises and LiveKit never sent (!7 X-)."},
    [CMD_OPT_TRUNK_ID] = {"trunk-id", 0, false, false,
                          BIT(RECORD) | BIT(PROBE) | BIT(CHECK) | BIT(TUI), "ID",
                          "judge all calls by this trunk instead of the one that matches", NULL},
    [CMD_OPT_LIVEKIT] =
        {"livekit", 0, false, false, BIT(RECORD) | BIT(PROBE) | BIT(CHECK) | BIT(FLOW) | BIT(TUI),
         "NAME|ADDR", "which node is LiveKit",
         "A point's name (a pod's, a capture id for one by HEP), a name given by --node, or an "
         "address. Without it LiveKit is recognised by how its messages look."},
    [CMD_OPT_VALUES] = {"values", 0, false, false,
                        BIT(RECORD) | BIT(PROBE) | BIT(CHECK) | BIT(TUI) | BIT(TRUNK), "FILE",
                        "attribute values as JSON; they become part of what is owed",
                        "An object with the value of each attribute, as a string. An attribute "
                        "whose value is null is known to be unset, and its header is not owed."},
    [CMD_OPT_NODE] = {"node", 0, true, false,
                      BIT(RECORD) | BIT(PROBE) | BIT(CHECK) | BIT(FLOW) | BIT(TUI),
                      "NAME=ADDR[,ADDR...]", "these addresses are one node of this name",
                      "For nodes without a capture of their own, or with addresses that the "
                      "captures do not show to belong together."},
    [CMD_OPT_RULES] =
        {"rules", 0, true, false, BIT(RECORD) | BIT(CHECK) | BIT(TUI), "FILE",
         "judge messages by the rules in this YAML or JSON file",
         "sipxray-rules(5) describes them. Without a trunk they are judged in place of the X- "
         "headers, unless --follow is given as well. A dash reads standard input."},
    [CMD_OPT_REQUIRE] = {"require", 0, true, false, BIT(RECORD) | BIT(CHECK) | BIT(TUI), "RULE",
                         "a rule in a line: this header, and its value, must be there",
                         "Such as 'BYE X-Queue', 'BYE@five9:X-Queue=~^(Billing|Sales)$' or 'INVITE "
                         "X-Metadata[account]=12345'; sipxray-rules(5) has its grammar."},
    [CMD_OPT_FORBID] = {"forbid", 0, true, false, BIT(RECORD) | BIT(CHECK) | BIT(TUI), "RULE",
                        "a rule in a line: this header, or this value of it, must not be there",
                        "Such as 'X-Internal-*@last-hop' or 'BYE X-Queue=Unknown'."},
    [CMD_OPT_STRICT] = {"strict", 0, false, false, BIT(RECORD) | BIT(CHECK) | BIT(TUI), NULL,
                        "a rule that never applied is a failure", NULL},
    [CMD_OPT_PACK] = {"pack", 0, true, false, BIT(RECORD) | BIT(CHECK) | BIT(TUI), "NAME",
                      "apply the rules of this pack to every message",
                      "The packs are hygiene, leak, caller-id, reject and sayna; sipxray-packs(7) "
                      "tells what each looks for."},
    [CMD_OPT_FOLLOW] =
        {"follow", 0, true, false, BIT(RECORD) | BIT(CHECK) | BIT(FLOW) | BIT(TUI), "PATTERN",
         "follow the headers of this name; * and ? stand for any text",
         "Without a trunk they are judged in place of X-*. With a trunk they are "
         "shown beside those that it promises, and their loss does not count. In flow they are "
         "marked as X-* are."},
    [CMD_OPT_COLUMNS] =
        {"columns", 0, false, false, BIT(CALLS) | BIT(TUI), "LIST",
         "these columns instead of the usual ones",
         "Parted by commas: start, answer, end, last, duration, talk, outcome, status, method, "
         "caller, callee, src, dst, messages, points, call_id, call_ids, number, or a header of a "
         "message: "
         "BYE:X-Five9-Queue of the BYE, 200:X-A of a response, \"INVITE 2xx:X-A\" of a response "
         "to INVITE, X-A of any message. The first message that has the header tells its value. "
         "The screens show number and verdict before them, and sort and filter by headers as "
         "well."},
    [CMD_OPT_GROUP_BY] = {"group-by", 0, false, false, BIT(CALLS), "COLUMN",
                          "count the calls by the values of a header, or of another column",
                          "For each value how many calls there were, how many were answered and "
                          "failed, and how long they talked, from the answer to the end, in all "
                          "and on the average. Calls without the header are a group of their own; "
                          "requests outside of calls are not counted."},
    [CMD_OPT_CALL] = {"call", 0, false, false, BIT(FLOW), "CALL-ID|N|all",
                      "draw this call: a Call-ID of it, or its number, or all one after another",
                      "Calls are numbered in the order in which their Call-IDs appeared, those of "
                      "requests outside of calls too, as in the screens and in the column number "
                      "of sipxray calls. Without it the only "
                      "call is drawn; where there are several they are listed, with exit status "
                      "2."},
    [CMD_OPT_HEADERS] = {"headers", 0, false, false, BIT(FLOW), NULL,
                         "show the headers of each message hop by hop",
                         "X- headers, those that --follow names or a trunk promises, and what else "
                         "changes on the way; "
                         "with --verbose all."},
    [CMD_OPT_OUTSIDE] = {"outside", 0, true, false, BIT(RECORD) | BIT(CHECK), "NODE|ADDR|CIDR",
                         "what is outside, for the pack leak",
                         "A node's name, an address or a network, of which LiveKit and the nodes "
                         "captured on are no part. Without it each public address is outside, "
                         "but those of LiveKit and of the nodes captured on."},
    [CMD_OPT_SAYNA] = {"sayna", 0, false, false, BIT(RECORD) | BIT(CHECK) | BIT(TUI), "FILE",
                       "the Sayna configuration (YAML), for the pack sayna",
                       "What counts is its sip block. Without the option the environment variables "
                       "SIP_ROOM_PREFIX, SIP_ALLOWED_ADDRESSES, SIP_HOOKS_JSON and SIP_HOOK_SECRET "
                       "are read, as Sayna reads them."},
    [CMD_OPT_FILTER] =
        {"filter", 0, false, false, READING, "EXPR",
         "only messages, or calls, for which this expression holds",
         "Such as 'method == BYE and header[\"X-Five9-Queue\"] exists'; sipxray-filter(5) has the "
         "language, which the screens have as well. messages prints those messages. calls, check "
         "and flow take the calls that have such a message; the others are not judged, but what "
         "they tell of the path is learned all the same. Where no call is left, nothing was "
         "tested: the exit status of check is 3. The screens "
         "begin with it."},
    [CMD_OPT_BPF] =
        {"bpf", 0, false, false, READING, "EXPR",
         "read only packets that this pcap-filter(7) expression selects",
         "An expression that names ports, or looks into UDP, TCP or SCTP, also lets the "
         "later fragments of large messages through, which have no ports; --verbose "
         "prints it. It is held against the outermost IP header: port 5060 selects "
         "nothing within a tunnel, and on Ethernet with VLAN tags it has to be "
         "preceded by vlan and."},
    [CMD_OPT_LIVE] =
        {"live", 0, false, false, BIT(CHECK) | BIT(CALLS), NULL,
         "report each call as soon as it ends, in a line; wait for files to grow",
         "A call is reported a third of a second after its end was answered at every point that "
         "saw it; up to three seconds later where a point saw the call but not its end, or no "
         "answer to it, or the call was refused and may be tried again; 40 seconds later where "
         "nobody saw an answer. What "
         "comes after that and changes the verdict is told in a further line, with the same number "
         "and what was said before. A call with nothing but unanswered requests is over after five "
         "minutes of silence, one that was answered after six hours. The formats are text and "
         "ndjson."},
    [CMD_OPT_FOR] = {"for", 0, false, false, BIT(RECORD) | CAPTURES | BIT(PROBE), "TIME",
                     "end a run with live sources, or a probe, after so long, as Ctrl-C does",
                     "A number with s, m, h or d behind it, or several: 90s, 10m, 1h30m."},
    [CMD_OPT_CALLS] = {"calls", 0, false, false, BIT(CHECK) | BIT(PROBE), "N",
                       "with --live, and probe answer: end after so many calls", NULL},
    [CMD_OPT_EXEC] =
        {"exec", 0, false, false, BIT(CHECK), "COMMAND",
         "with --live: run this command for each call that fails",
         "By /bin/sh, with the rights that sipxray was started with, though it gives up its own. "
         "What is known of the call is in the environment: SIPXRAY_CALL (its number), "
         "SIPXRAY_CALL_ID, SIPXRAY_CALL_IDS, SIPXRAY_CALLER, SIPXRAY_CALLEE, SIPXRAY_DIRECTION, "
         "SIPXRAY_START, SIPXRAY_TRUNK, SIPXRAY_VERDICT, SIPXRAY_SUMMARY (in words), and of its "
         "errors SIPXRAY_FINDINGS, SIPXRAY_HEADERS and SIPXRAY_NODES, parted by spaces. Standard "
         "input has the events of --format ndjson. No word of it comes from the network into the "
         "command itself; quote the variables. Four commands run at a time, 256 wait, further ones "
         "are counted and not run; each has 30 seconds."},
    [CMD_OPT_METRICS] =
        {"metrics", 0, false, false, BIT(CHECK), "[ADDR:]PORT",
         "with --live: serve counters for Prometheus at http://ADDR:PORT/metrics",
         "The address is 127.0.0.1 unless one is given; an IPv6 address stands in brackets. There "
         "is no password: what others can reach should not be open to them."},
    [CMD_OPT_METRICS_FILE] =
        {"metrics-file", 0, false, false, BIT(CHECK), "FILE",
         "with --live: write the same counters to this file, every ten seconds and at the end",
         "As the textfile collector of node_exporter reads it. The file is replaced as a whole."},
    [CMD_OPT_PROMISCUOUS] = {"promiscuous", 0, false, false, READING, NULL,
                             "iface: capture also what is not for this host",
                             "As on a mirror port. Without it the interface stays as it is."},
    [CMD_OPT_BUFFER] =
        {"buffer", 0, false, false, READING, "MB",
         "iface: let the kernel keep so much until it is read (64)",
         "A burst that does not fit is lost, and how many packets were is told. Each interface has "
         "a buffer of its own."},
    [CMD_OPT_RETRY] =
        {"retry", 0, false, false, READING, "=SECONDS", "cmd: run it again when it has ended",
         "The first pause is a second, or as many as are given; each is twice as long as the one "
         "before, up to a minute, and short again after a minute that went well."},
    [CMD_OPT_HEP_KEY_FILE] = {"hep-key-file", 0, false, false, READING, "FILE",
                              "hep: read only what has the authentication key in this file",
                              "Its first line counts; without the option, the environment variable "
                              "SIPXRAY_HEP_KEY. HEP before version 3 has no key, and is not read."},
    [CMD_OPT_K8S_IMAGE] = {"k8s-image", 0, false, false, READING, "IMAGE",
                           "k8s: the image where a pod has no tcpdump (" SOURCE_K8S_IMAGE ")",
                           "It needs tcpdump, sh, mkfifo, cat and sleep."},
    [CMD_OPT_KEYLOG] = {"keylog", 0, true, false, READING, "FILE",
                        "decrypt TLS by the secrets in this key log (NSS format)",
                        "What SSLKEYLOGFILE makes many programs write. The file may grow while the "
                        "captures are read, and with a live source it may be made later on. The "
                        "environment variable is heeded here as well, and "
                        "secrets that a pcapng capture carries need no option."},
    [CMD_OPT_TLS_KEY] = {"tls-key", 0, true, false, READING, "FILE",
                         "decrypt TLS by this RSA private key (PEM) of a server",
                         "It helps only where the key was exchanged by RSA: TLS 1.2 and before, "
                         "without Diffie-Hellman. All else needs a key log."},
    [CMD_OPT_BASELINE] =
        {"baseline", 0, false, false, BIT(CHECK), "FILE",
         "report what changed since this earlier report by --format json",
         "A finding is the same as an earlier one if id, severity, message, header, node, trunk "
         "and rule are. The exit status is 1 only for errors that are new: that the earlier report "
         "has not, "
         "or has fewer of, if both are of as many calls. A dash reads standard input; 64 MiB are "
         "the most."},
    [CMD_OPT_ALLOW_UNTESTED] = {"allow-untested", 0, false, false, BIT(PROBE) | BIT(CHECK), NULL,
                                "exit with 0 instead of 3 when a promised header was never judged",
                                NULL},
    [CMD_OPT_MATCH] = {"match", 0, false, false, BIT(TRUNK), "NUMBER",
                       "say which inbound trunk takes a call to this number",
                       "The number is what stands in the To header of the INVITE."},
    [CMD_OPT_FROM] = {"from", 0, false, false, BIT(PROBE) | BIT(TRUNK), "NUMBER[@HOST]",
                      "the caller's number, for --match; of a probe the URI in From", NULL},
    [CMD_OPT_SOURCE] = {"source", 0, false, false, BIT(TRUNK), "ADDR",
                        "the address that LiveKit gets the INVITE from, for --match",
                        "Behind a proxy that is the proxy's address."},
    [CMD_OPT_VIA] = {"via", 0, false, false, BIT(PROBE), "PROXY[:PORT]",
                     "send the first request here, whatever --to says", NULL},
    [CMD_OPT_TO] = {"to", 0, false, false, BIT(PROBE), "URI", "whom to call: sip:USER@HOST[:PORT]",
                    NULL},
    [CMD_OPT_LISTEN] =
        {"listen", 0, false, false, BIT(PROBE), "ADDR:PORT", "where the callee is: the path's end",
         "For UDP, TCP and TLS alike. The path under test has to route --to to this place."},
    [CMD_OPT_LOCAL] = {"local", 0, false, false, BIT(PROBE), "ADDR[:PORT]",
                       "where the caller is; without it any address that leads to the first hop",
                       NULL},
    [CMD_OPT_AS] = {"as", 0, false, false, BIT(PROBE), "ROLE",
                    "call and answer: stand in for livekit, or for the carrier",
                    "It says which of several trunks is meant: who calls as livekit or answers as "
                    "carrier needs an outbound trunk, the others an inbound one. Without a trunk "
                    "the messages of the suite look as LiveKit's do."},
    [CMD_OPT_SUITE] = {"suite", 0, false, false, BIT(PROBE), NULL,
                       "try each case on each message in both directions",
                       "Two calls for each case: one in which the caller sends what follows the "
                       "INVITE, one in which the callee does."},
    [CMD_OPT_CASE] = {"case", 0, true, false, BIT(PROBE), "PATTERN",
                      "try only the cases of the suite that fit, with * and ?", NULL},
    [CMD_OPT_TRANSPORT] = {"transport", 0, false, false, BIT(PROBE), "T",
                           "udp (the default), tcp or tls to the first hop", NULL},
    [CMD_OPT_ROUTE] = {"route", 0, true, false, BIT(PROBE), "URI",
                       "a Route header of the first request", NULL},
    [CMD_OPT_CREDENTIALS] =
        {"credentials", 0, false, false, BIT(PROBE), "FILE",
         "answer 401 and 407 with user:password of the first line of this file",
         "Without it SIPXRAY_CREDENTIALS in the environment is asked. A dash reads standard "
         "input."},
    [CMD_OPT_CA] = {"ca", 0, false, false, BIT(PROBE), "FILE",
                    "TLS: certificates to trust, in PEM; without it the system's", NULL},
    [CMD_OPT_CERT] = {"cert", 0, false, false, BIT(PROBE), "FILE",
                      "TLS: our certificate with its chain, in PEM",
                      "It is shown to clients and to servers that ask for one. Without it one is "
                      "made for the run."},
    [CMD_OPT_CERT_KEY] = {"cert-key", 0, false, false, BIT(PROBE), "FILE",
                          "TLS: the key of --cert, if it is not in that file", NULL},
    [CMD_OPT_SERVER_NAME] = {"server-name", 0, false, false, BIT(PROBE), "NAME",
                             "TLS: the name that the proxy's certificate must have", NULL},
    [CMD_OPT_NO_VERIFY] = {"no-verify", 0, false, false, BIT(PROBE), NULL,
                           "TLS: take any certificate", NULL},
    [CMD_OPT_ASK_CLIENT] = {"ask-client", 0, false, false, BIT(PROBE), NULL,
                            "TLS: who connects to --listen must show a certificate of --ca", NULL},
    [CMD_OPT_STEP_TIME] = {"step-time", 0, false, false, BIT(PROBE), "TIME",
                           "how long each message may take to its answer (10s; 4s with --suite)",
                           NULL},
    [CMD_OPT_PAUSE] = {"pause", 0, false, false, BIT(PROBE), "TIME", "between two calls (100ms)",
                       NULL},
    [CMD_OPT_DRY_RUN] = {"dry-run", 0, false, false, BIT(PROBE), NULL,
                         "print what would be sent, and send nothing", NULL},
    [CMD_OPT_FORMAT] = {"format", 0, true, false, PRINTING, "F[:FILE]",
                        "print in this format, to FILE where one is given",
                        "Several formats can be asked for in one run, all but one of them with a "
                        "file. A file appears whole or not at all."},
    [CMD_OPT_COLOR] = {"color", 0, false, false, PRINTING | BIT(TUI), "WHEN",
                       "colours: auto (on a terminal, the default), always, never", NULL},
    [CMD_OPT_ASCII] = {"ascii", 0, false, false, BIT(FLOW) | BIT(TUI), NULL,
                       "draw with ASCII characters only",
                       "The default where the locale is not one of UTF-8."},
    [CMD_OPT_LOCAL_TIME] = {"local-time", 0, false, false, READING, NULL,
                            "print times in local time, by TZ, instead of UTC", NULL},
    [CMD_OPT_SHOW_SECRETS] = {"show-secrets", 0, false, false,
                              (PRINTING & ~BIT(EXPLAIN)) | BIT(TUI), NULL,
                              "do not mask credentials in header values", NULL},
    [CMD_OPT_THREADS] =
        {"threads", 0, false, false, CAPTURES, "N",
         "use at most N threads (2 are the default on two processors)",
         "One thread reads and decodes while the other files and judges. The "
         "output is the same. More than two have nothing to do, and live sources take one."},
    [CMD_OPT_MEMORY] = {"memory", 0, false, false, BIT(RECORD) | BIT(TUI) | BIT(CHECK) | BIT(CALLS),
                        "MB",
                        "keep calls in so much memory (512); beyond, the longest idle ones go",
                        "For the screens, --live and record. "
                        "What is kept of a message of a file is a record of about 130 bytes; its "
                        "text is read again when it is shown. How many calls were dropped stands "
                        "on the screen. With --live calls that were reported already go first, "
                        "then those that nobody answered."},
    [CMD_OPT_CONFIG] = {"config", 0, false, false, BIT(TUI), "FILE",
                        "read settings from this file, and save them there",
                        "Instead of $XDG_CONFIG_HOME/sipxray/config, which is "
                        "~/.config/sipxray/config where the variable is not set; sipxray-config(5) "
                        "describes it."},
    [CMD_OPT_NO_CONFIG] = {"no-config", 0, false, false, BIT(TUI), NULL,
                           "read no file of settings, nor those of sngrep", NULL},
#include "cmd/record_options.def"
    [CMD_OPT_VERBOSE] = {"verbose", 0, false, false, CAPTURES | BIT(PROBE), NULL,
                         "say more: headers of messages, reasons of verdicts", NULL},
    [CMD_OPT_HELP] = {"help", 'h', true, false, ANY, NULL, "explain the subcommand, with examples",
                      NULL},
    [CMD_OPT_VERSION] = {"version", 'V', true, false, ANY, NULL, "print the version", NULL},
    [CMD_OPT_MDOC] = {"mdoc", 0, true, true, BIT(HELP), NULL, "print the tables for the manual",
                      NULL},
};

const struct cmd_option *cmd_option_of(enum cmd_option_id id)
{
    return &options[id];
}

const struct cmd_command *cmd_command_of(enum cmd_id id)
{
    return &commands[id];
}
