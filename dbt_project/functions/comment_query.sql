select case language
    when 'pt' then websearch_to_tsquery(cast('words.portuguese' as regconfig), {{ cx('plain_text') }}(query))
    when 'es' then websearch_to_tsquery(cast('words.spanish' as regconfig), {{ cx('plain_text') }}(query))
    when 'ro' then websearch_to_tsquery(cast('words.romanian' as regconfig), {{ cx('plain_text') }}(query))
    when 'en' then websearch_to_tsquery(cast('words.english' as regconfig), {{ cx('plain_text') }}(query))
end
