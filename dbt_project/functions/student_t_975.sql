-- The 97.5 % point of Student's t: a table up to 30 degrees of freedom, above it the
-- expansion of Fisher and Cornish in 1/degrees (error below 2e-6 from 31 on).
select case
    when degrees_of_freedom < 1 then null
    when degrees_of_freedom <= 30 then (array[
        12.7062047, 4.3026527, 3.1824463, 2.7764451, 2.5705818, 2.4469119,
        2.3646243, 2.3060041, 2.2621572, 2.2281389, 2.2009852, 2.1788128,
        2.1603687, 2.1447867, 2.1314495, 2.1199053, 2.1098156, 2.1009220,
        2.0930241, 2.0859634, 2.0796138, 2.0738731, 2.0686576, 2.0638986,
        2.0595386, 2.0555294, 2.0518305, 2.0484071, 2.0452296, 2.0422725
    ])[cast(degrees_of_freedom as integer)]
    else 1.9599640
        + 2.3722712 / degrees_of_freedom
        + 2.8224986 / power(degrees_of_freedom, 2)
        + 2.5558497 / power(degrees_of_freedom, 3)
end
