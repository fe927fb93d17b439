/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <openssl/evp.h>

#include "image/registry/base64.h"

char *base64_encode(const void *data, size_t size) {
        char *text;

        if (size > INT32_MAX / 2)
                return NULL;
        text = malloc((size + 2) / 3 * 4 + 1);
        if (text)
                (void) EVP_EncodeBlock((unsigned char *) text, data, (int) size);
        return text;
}

int base64_decode(const char *text, char **ret, size_t *ret_size) {
        size_t n = strlen(text), padding = 0;
        char *data;

        while (n > 0 && strchr(" \t\r\n", text[n - 1]))
                n--;
        if (n % 4 != 0 || n > INT32_MAX / 2)
                return -EINVAL;
        while (padding < 2 && padding < n && text[n - 1 - padding] == '=')
                padding++;
        /* The decoder takes '=' anywhere, and white space at both ends. */
        for (size_t i = 0; i < n - padding; i++)
                if (text[i] == '=' || text[i] == ' ' || text[i] == '\t' || text[i] == '\r' || text[i] == '\n')
                        return -EINVAL;
        data = malloc(n / 4 * 3 + 1);
        if (!data)
                return -ENOMEM;
        if (n > 0 && EVP_DecodeBlock((unsigned char *) data, (const unsigned char *) text, (int) n) < 0) {
                free(data);
                return -EINVAL;
        }
        *ret_size = n / 4 * 3 - padding;
        data[*ret_size] = 0;
        *ret = data;
        return 0;
}
