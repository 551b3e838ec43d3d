select case
    when responses > 0 and responses < 5 then 'suppressed'
    when responses >= 5 and responses < 30 then 'indicative'
    when responses >= 30 then 'reportable'
    else 'no_answers'
end
