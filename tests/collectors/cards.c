/* The handful of calls of NVIDIA's library that the agent makes, with cards that a test sets. */
#include <string.h>

enum { SUCCESS = 0, NOT_SUPPORTED = 3, NOT_FOUND = 6, TOO_SMALL = 7, LOST = 15, MOST = 8 };

typedef struct {
    unsigned int pid;
    unsigned long long stamp_us;
    unsigned int sm, memory, encoder, decoder;
} sample_t;

typedef struct {
    char uuid[32];
    int counts, lost;
    unsigned long long energy_mj;
    unsigned int power_mw, samples;
    sample_t sample[MOST];
} card_t;

static card_t card[MOST];
static unsigned int cards;

void set_cards(unsigned int number) {
    memset(card, 0, sizeof card);
    cards = number;
    for (unsigned int i = 0; i < number; i++) {
        strcpy(card[i].uuid, "GPU-0");
        card[i].uuid[4] += i;
        card[i].counts = 1;
    }
}
void set_energy(int i, unsigned long long mj) { card[i].energy_mj = mj; }
void set_power(int i, unsigned int mw) { card[i].counts = 0; card[i].power_mw = mw; }
void set_lost(int i, int lost) { card[i].lost = lost; }
void set_no_samples(int i) { card[i].samples = 0; }
void add_sample(int i, unsigned int pid, unsigned long long stamp_us, unsigned int sm) {
    card[i].sample[card[i].samples++] = (sample_t){pid, stamp_us, sm, 0, 0, 0};
}

int nvmlInitWithFlags(unsigned int flags) { return SUCCESS; }
int nvmlShutdown(void) { return SUCCESS; }
const char *nvmlErrorString(int code) { return code == LOST ? "GPU is lost" : "an error"; }
int nvmlDeviceGetCount_v2(unsigned int *count) { *count = cards; return SUCCESS; }
int nvmlDeviceGetHandleByIndex_v2(unsigned int i, card_t **handle) { *handle = &card[i]; return SUCCESS; }
int nvmlDeviceGetUUID(card_t *c, char *uuid, unsigned int length) { strncpy(uuid, c->uuid, length); return SUCCESS; }
int nvmlDeviceGetTotalEnergyConsumption(card_t *c, unsigned long long *mj) {
    if (c->lost) return LOST;
    *mj = c->energy_mj;
    return c->counts ? SUCCESS : NOT_SUPPORTED;
}
int nvmlDeviceGetPowerUsage(card_t *c, unsigned int *mw) {
    *mw = c->power_mw;
    return c->lost ? LOST : SUCCESS;
}
int nvmlDeviceGetProcessUtilization(card_t *c, sample_t *samples, unsigned int *count, unsigned long long since_us) {
    unsigned int room = *count;
    if (!c->samples) return NOT_FOUND;
    *count = MOST; /* as the driver does: room for more than it writes */
    if (!samples || room < MOST) return TOO_SMALL;
    memset(samples, 0, MOST * sizeof *samples);
    for (unsigned int i = 0, n = 0; i < c->samples; i++)
        if (c->sample[i].stamp_us > since_us) samples[n++] = c->sample[i];
    return SUCCESS;
}
