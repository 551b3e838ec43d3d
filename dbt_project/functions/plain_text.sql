-- Composed, in lower case, and without the accents that people leave out when they type. The
-- embedded server has no extension for it.
select translate(
    lower(normalize(text, nfkc) collate "pg_c_utf8"),
    'áàâãäåăąéèêëęíìîïóòôõöőúùûüűñńçćșşțţýÿßœæ’`´',
    'aaaaaaaaeeeeeiiiioooooouuuuunnccssttyysoa'''''''
)
