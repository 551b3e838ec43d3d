-- Null where the language is not one of the four.
select case language
    when 'pt' then to_tsvector(cast('words.portuguese' as regconfig), {{ cx('plain_text') }}(text))
    when 'es' then to_tsvector(cast('words.spanish' as regconfig), {{ cx('plain_text') }}(text))
    when 'ro' then to_tsvector(cast('words.romanian' as regconfig), {{ cx('plain_text') }}(text))
    when 'en' then to_tsvector(cast('words.english' as regconfig), {{ cx('plain_text') }}(text))
end
