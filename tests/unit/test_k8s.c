/* Pods: the specification, the commands made of it, and what kubectl prints of a watch. */
#include "source/k8s.h"

#include "unit.h"

#include <stdio.h>

static void specifications(void **state)
{
    static const struct {
        const char *rest, *context, *namespace, *pod, *container, *selector;
    } cases[] = {
        {"voip/kam-0", "", "voip", "kam-0", "", ""},
        {"voip/kam-0/kamailio", "", "voip", "kam-0", "kamailio", ""},
        {"prod_eu/voip/kam-0", "prod_eu", "voip", "kam-0", "", ""},
        {"prod/voip/kam-0/", "prod", "voip", "kam-0", "", ""},
        {"prod/voip/kam-0/kamailio", "prod", "voip", "kam-0", "kamailio", ""},
        {"arn:aws:eks:eu-1:1:cluster/a/voip/kam.0/", "arn:aws:eks:eu-1:1:cluster/a", "voip",
         "kam.0", "", ""},
        {"voip/app=kamailio", "", "voip", "", "", "app=kamailio"},
        {"prod/voip/app=kamailio", "prod", "voip", "", "", "app=kamailio"},
        {"a/b/c/voip/app=x", "a/b/c", "voip", "", "", "app=x"},
        {"voip/app.kubernetes.io/name=kam", "", "voip", "", "", "app.kubernetes.io/name=kam"},
        {"prod/voip/k8s.io/name=kam,tier!=Edge_1", "prod", "voip", "", "",
         "k8s.io/name=kam,tier!=Edge_1"},
        {"gke_a.b_c/voip/app=x", "gke_a.b_c", "voip", "", "", "app=x"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct k8s_spec s;
        struct err err = {""};
        if (!k8s_spec_read(&s, "k8s:", cases[i].rest, &err))
            fail_msg("%s: %s", cases[i].rest, err.text);
        if (!slice_is(s.context, cases[i].context) || !slice_is(s.namespace, cases[i].namespace) ||
            !slice_is(s.pod, cases[i].pod) || !slice_is(s.container, cases[i].container) ||
            !slice_is(s.selector, cases[i].selector))
            fail_msg("%s: %.*s|%.*s|%.*s|%.*s|%.*s", cases[i].rest, SLICE_ARG(s.context),
                     SLICE_ARG(s.namespace), SLICE_ARG(s.pod), SLICE_ARG(s.container),
                     SLICE_ARG(s.selector));
    }
}

static void mistakes(void **state)
{
    static const char *const wrong[] = {
        "",           "kam-0",       "voip/",    "/kam-0",         "Voip/kam-0",  "voip/-kam",
        "voip/kam;0", "voip/=x",     "app=x",    "voip/app=x y",   "voip/a\1b",   "v.p/kam-0",
        "x\1/v/p/",   "voip/app=\2", "voip/p/C", "voip/-o=name=x", "voip//kam-0",
    };
    (void)state;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        struct k8s_spec s;
        struct err err = {""};
        if (k8s_spec_read(&s, "k8s:", wrong[i], &err))
            fail_msg("%s is taken: %.*s|%.*s|%.*s|%.*s", wrong[i], SLICE_ARG(s.context),
                     SLICE_ARG(s.namespace), SLICE_ARG(s.pod), SLICE_ARG(s.selector));
        assert_non_null(strstr(err.text, "k8s:[CONTEXT/]NAMESPACE/LABEL=VALUE"));
    }
}

/* The words of a plan up to the first that has a line break. */
static const char *words_of(const struct source_plan *p, char *into, size_t n)
{
    size_t at = 0;
    into[0] = '\0';
    for (size_t i = 0; p->argv[i] && !strchr(p->argv[i], '\n'); i++)
        at += (size_t)snprintf(into + at, n - at, "%s%s", i ? " " : "", p->argv[i]);
    return into;
}

static void commands(void **state)
{
    struct arena a = {0};
    struct k8s_spec s;
    struct err err;
    struct source_plan plans[K8S_PLANS];
    char line[1024];
    (void)state;
    assert_true(k8s_spec_read(&s, "", "prod/voip/app=kam", &err));
    k8s_plans(&s, "microk8s  kubectl", "my/image", "port 5060", &a, plans);
    assert_string_equal(
        words_of(&plans[K8S_WATCH], line, sizeof line),
        "microk8s kubectl --context=prod --namespace=voip get pods --selector=app=kam "
        "--watch --output-watch-events -o json");
    assert_string_equal(words_of(&plans[K8S_EXEC], line, sizeof line),
                        "microk8s kubectl --context=prod --namespace=voip exec -i \1 -- sh -c");
    assert_string_equal(words_of(&plans[K8S_EXEC_IN], line, sizeof line),
                        "microk8s kubectl --context=prod --namespace=voip exec -i \1 "
                        "--container=\2 -- sh -c");
    assert_string_equal(words_of(&plans[K8S_DEBUG], line, sizeof line),
                        "microk8s kubectl --context=prod --namespace=voip debug pod/\1 "
                        "--container=\2 --quiet --profile=netadmin --image=my/image -- sh -c");
    assert_true(k8s_spec_read(&s, "", "voip/kam-0", &err));
    k8s_plans(&s, "kubectl", "i", "f", &a, plans);
    assert_string_equal(words_of(&plans[K8S_WATCH], line, sizeof line),
                        "kubectl --namespace=voip get pod kam-0 --watch --output-watch-events -o "
                        "json");
    arena_free(&a);
}

static const char event[] =
    "{\"type\":\"MODIFIED\",\"object\":{\"kind\":\"Pod\",\"metadata\":{\"name\":\"kam-0\","
    "\"annotations\":{\"a\":\"{ \\\" } \\\\\"}},\"status\":{\"phase\":\"Running\",\"podIPs\":"
    "[{\"ip\":\"10.0.1.1\"},{\"ip\":\"fd00::1\"},{\"ip\":\"x\"}],\"ephemeralContainerStatuses\":["
    "{\"name\":\"a\",\"state\":{\"running\":{}}},"
    "{\"name\":\"b\",\"state\":{\"waiting\":{\"reason\":\"ErrImagePull\"}}},"
    "{\"name\":\"c\",\"state\":{\"terminated\":{\"reason\":\"Error\",\"message\":\"why\"}}}]}}}";

/* Byte by byte, as a pipe may bring it; two behind each other, with what is none between them. */
static void objects(void **state)
{
    struct text t = {0};
    struct slice object, rest = SLICE_NONE;
    size_t found = 0;
    (void)state;
    for (size_t times = 0; times < 2; times++) {
        text_add(&t, SLICE(" \n"));
        for (size_t i = 0; i + 1 < sizeof event; i++) {
            assert_false(k8s_event_next(&rest, &object));
            text_add_char(&t, event[i]);
            rest = slice_from(text_slice(&t), times * (sizeof event + 1));
        }
        while (k8s_event_next(&rest, &object)) {
            assert_true(slice_is(object, event));
            found++;
        }
        assert_int_equal(rest.n, 0);
    }
    assert_int_equal(found, 2);
    text_add(&t, SLICE("{"));
    rest = text_slice(&t);
    while (k8s_event_next(&rest, &object)) {
        assert_true(slice_is(object, event));
        found++;
    }
    assert_int_equal(found, 4);
    assert_true(slice_is(rest, "{"));
    text_free(&t);
}

static void events(void **state)
{
    struct err err;
    struct k8s_event e;
    struct address ip;
    struct slice why;
    (void)state;
    struct json *root = json_parse("x", slice_of(event), &err);
    assert_non_null(root);
    assert_true(k8s_event_read(root, &e));
    assert_true(slice_is(e.pod, "kam-0"));
    assert_true(e.running && !e.gone);
    assert_true(k8s_event_address(&e, 0, &ip) && ip.family == 4);
    assert_true(k8s_event_address(&e, 1, &ip) && ip.family == 6);
    assert_false(k8s_event_address(&e, 2, &ip));
    assert_false(k8s_event_address(&e, 3, &ip));
    assert_int_equal(k8s_event_debug(&e, "a", &why), K8S_DEBUG_RUNNING);
    assert_int_equal(k8s_event_debug(&e, "b", &why), K8S_DEBUG_WAITING);
    assert_true(slice_is(why, "ErrImagePull"));
    assert_int_equal(k8s_event_debug(&e, "c", &why), K8S_DEBUG_ENDED);
    assert_true(slice_is(why, "why"));
    assert_int_equal(k8s_event_debug(&e, "d", &why), K8S_DEBUG_UNKNOWN);
    json_free(root);
}

static void states(void **state)
{
    static const struct {
        const char *json;
        bool known, running, gone;
    } cases[] = {
        {"{\"type\":\"ADDED\",\"object\":{\"kind\":\"Pod\",\"metadata\":{\"name\":\"p\"},"
         "\"status\":"
         "{\"phase\":\"Pending\"}}}",
         true, false, false},
        {"{\"type\":\"MODIFIED\",\"object\":{\"kind\":\"Pod\",\"metadata\":{\"name\":\"p\","
         "\"deletionTimestamp\":\"x\"},\"status\":{\"phase\":\"Running\"}}}",
         true, false, false},
        {"{\"type\":\"DELETED\",\"object\":{\"kind\":\"Pod\",\"metadata\":{\"name\":\"p\"},"
         "\"status\":{\"phase\":\"Running\"}}}",
         true, false, true},
        {"{\"type\":\"MODIFIED\",\"object\":{\"kind\":\"Pod\",\"metadata\":{\"name\":\"p\"},"
         "\"status\":{\"phase\":\"Failed\"}}}",
         true, false, true},
        {"{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"message\":\"gone\"}}", false, false,
         false},
        {"{\"type\":\"ADDED\",\"object\":[]}", false, false, false},
        {"{\"type\":\"ADDED\",\"object\":{\"kind\":\"Pod\",\"metadata\":[],\"status\":3}}", false,
         false, false},
        {"{\"type\":1,\"object\":{\"kind\":\"Pod\",\"metadata\":{\"name\":\"p\"},\"status\":"
         "{\"podIPs\":{},\"ephemeralContainerStatuses\":[1,[]]}}}",
         true, false, false},
        {"{}", false, false, false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct err err;
        struct k8s_event e;
        struct slice why;
        struct json *root = json_parse("x", slice_of(cases[i].json), &err);
        assert_non_null(root);
        if (k8s_event_read(root, &e) != cases[i].known ||
            (cases[i].known && (e.running != cases[i].running || e.gone != cases[i].gone)))
            fail_msg("case %zu", i);
        if (cases[i].known)
            assert_int_equal(k8s_event_debug(&e, "x", &why), K8S_DEBUG_UNKNOWN);
        json_free(root);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(specifications), cmocka_unit_test(mistakes), cmocka_unit_test(commands),
        cmocka_unit_test(objects),        cmocka_unit_test(events),   cmocka_unit_test(states),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
