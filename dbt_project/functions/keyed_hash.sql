-- HMAC-SHA256; the padded keys come from the session (include/building/builds.py sets them), so
-- that the secret is in no table, file or log.
select cast(encode(substring(
    sha256(
        decode(current_setting('cx.key_outer'), 'hex')
        || sha256(decode(current_setting('cx.key_inner'), 'hex') || convert_to(value, 'UTF8'))
    )
    from 1 for 16
), 'hex') as uuid)
