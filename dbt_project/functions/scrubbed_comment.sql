-- From the widest pattern to the narrowest; each leaves a mark of what stood there.
select nullif(trim(e'\n\r\t ' from
    regexp_replace(
    regexp_replace(
    regexp_replace(
    regexp_replace(
    regexp_replace(
    regexp_replace(
    regexp_replace(
        translate(normalize(text, nfc), U&'\00a0\200b\200e\200f', ' '),
        -- addresses of pages, and of people
        '(https?://|www\.)\S+', '[link]', 'gi'),
        '[[:alnum:]._%+-]+\s?(@|\(at\)|\[at\])\s?[[:alnum:]-]+(\.[[:alnum:]-]+)+', '[e-mail]', 'gi'),
        '(^|[\s(,;:])@[[:alnum:]_.]{2,}', '\1[name]', 'g'),
        -- accounts and documents with letters before the digits
        '\m[A-Za-z]{2}[0-9]{2}([ ]?[A-Za-z0-9]{4}){2,7}[ ]?[A-Za-z0-9]{0,4}\M', '[number]', 'g'),
        -- seven digits or more: telephones, documents, cards, orders
        '[+(]?[0-9]([ ().\/-]{0,3}[0-9]){6,}', '[number]', 'g'),
        -- who says who they are
        '\m([Mm]eu nome é|[Mm]e chamo|[Mm]i nombre es|[Mm]e llamo|[Mm][ăa] numesc|[Nn]umele meu este|[Nn]umele meu e|[Mm]y name is|[Ss]oy|I am)(\s+)[[:upper:]][[:lower:]]+(\s+(d[aeo]s?\s+)?[[:upper:]][[:lower:]]+){0,3}',
        '\1\2[name]', 'g'),
        -- who signs: the names after a farewell, up to the end
        '(^|[\s.,;!?])([Aa]tt|[Aa]tte|[Aa]tenciosamente|[Aa]tentamente|[Aa]braços?|[Aa]bs|[Ss]aludos?|[Cc]u stim[ăa]|[Cc]u respect|[Rr]egards|[Bb]est|[Ss]incerely|[Cc]heers|[Oo]brigad[oa]|[Gg]racias|[Mm]ul[țţt]umesc|[Tt]hanks|[Tt]hank you)([,.!]?\s*\n\s*|,\s*)"?[[:upper:]][[:alpha:].''-]*(\s+[[:upper:]][[:alpha:].''-]*){0,3}"?[\s.]*$',
        '\1\2\3[name]', '')
), '')
